"""Every file name on disk, in one place. Pure: makes no folder and reads no file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SWEEP_FILE = "sweep.json"
RUN_FILE = "run.json"
LATEST = "latest"
REGISTRY_FOLDER = ".runyard"


@dataclass(frozen=True, slots=True)
class SweepPaths:
    """The files of one sweep."""

    dir: Path

    @property
    def sweep_json(self) -> Path:  # noqa: D102
        return self.dir / SWEEP_FILE

    @property
    def plan_csv(self) -> Path:  # noqa: D102
        return self.dir / "plan.csv"

    @property
    def journal(self) -> Path:  # noqa: D102
        return self.dir / "journal.jsonl"

    @property
    def parts(self) -> Path:
        """The parts of the journal that workers elsewhere write, ``<worker>.jsonl`` each."""
        return self.dir / "journal"

    @property
    def claims(self) -> Path:
        """Which worker has taken which job: a file each."""
        return self.dir / "claims"

    @property
    def slurm(self) -> Path:
        """What was submitted to Slurm, and what its workers leave: logs, signs of life."""
        return self.dir / "slurm"

    @property
    def config_yaml(self) -> Path:  # noqa: D102
        return self.dir / "config.yaml"

    @property
    def multirun_yaml(self) -> Path:  # noqa: D102
        return self.dir / "multirun.yaml"

    @property
    def snapshot(self) -> Path:  # noqa: D102
        return self.dir / "snapshot"

    @property
    def frozen(self) -> Path:
        """The sweep's own config and the composed ones as they were submitted (pickled; readable by its owner only)."""
        return self.snapshot / "frozen.pkl"

    @property
    def points(self) -> Path:
        """The overrides of every job, a JSON list a line (readable by its owner only)."""
        return self.snapshot / "points.jsonl"

    @property
    def start_log(self) -> Path:
        """What the process printed that Python, or the service, started the sweep with."""
        return self.dir / "start.log"

    @property
    def resume_log(self) -> Path:
        """What the process printed that took the sweep up again last."""
        return self.dir / "resume.log"

    @property
    def plan_copy(self) -> Path:
        """What ``plan.csv`` is brought back from."""
        return self.snapshot / "plan.csv"

    @property
    def composed(self) -> Path:
        """Configs that were composed after the submission: pickles, one after another (owner only)."""
        return self.snapshot / "composed.pkl"

    @property
    def code(self) -> Path:
        """The application's source files that the controller had imported, each with a digest."""
        return self.snapshot / "code.json"

    @property
    def frozen_code(self) -> Path:
        """Where the frozen copy of the code lies, which sweeps share."""
        return self.snapshot / "tree.json"

    @property
    def patch(self) -> Path:  # noqa: D102
        return self.snapshot / "git.patch"

    @property
    def lock(self) -> Path:
        """Held by the controller while it lives."""
        return self.dir / ".controller"

    @property
    def shared(self) -> Path:
        """Results of stages that several jobs have in common."""
        return self.dir / "shared"

    @property
    def results_csv(self) -> Path:  # noqa: D102
        return self.dir / "results.csv"

    @property
    def results_parquet(self) -> Path:  # noqa: D102
        return self.dir / "results.parquet"

    @property
    def tables(self) -> Path:  # noqa: D102
        return self.dir / "tables"

    @property
    def summary_csv(self) -> Path:  # noqa: D102
        return self.dir / "summary.csv"

    @property
    def summary_png(self) -> Path:  # noqa: D102
        return self.dir / "summary.png"

    @property
    def notes(self) -> Path:  # noqa: D102
        return self.dir / "notes.md"


@dataclass(frozen=True, slots=True)
class RunPaths:
    """The files of one run."""

    dir: Path

    @property
    def run_json(self) -> Path:  # noqa: D102
        return self.dir / RUN_FILE

    @property
    def output_log(self) -> Path:
        """What the job wrote to file descriptors 1 and 2."""
        return self.dir / "output.log"

    @property
    def tables(self) -> Path:
        """Rows that the job emitted outside its stages: ``<name>.jsonl``."""
        return self.dir / "tables"

    @property
    def patch(self) -> Path:  # noqa: D102
        return self.dir / "git.patch"

    def stage(self, name: str) -> StagePaths:
        """The folder of one stage."""
        return StagePaths(self.dir / name)


@dataclass(frozen=True, slots=True)
class StagePaths:
    """The files of one stage of a run."""

    dir: Path

    @property
    def stage_json(self) -> Path:  # noqa: D102
        return self.dir / "stage.json"

    @property
    def tables(self) -> Path:  # noqa: D102
        return self.dir / "tables"


@dataclass(frozen=True, slots=True)
class RootPaths:
    """The files above the sweeps: ``multirun`` or ``outputs``."""

    dir: Path

    @property
    def registry(self) -> Path:  # noqa: D102
        return self.dir / REGISTRY_FOLDER / "registry.sqlite"

    @property
    def registry_lock(self) -> Path:  # noqa: D102
        return self.dir / REGISTRY_FOLDER / "lock"

    @property
    def index_csv(self) -> Path:  # noqa: D102
        return self.dir / "index.csv"

    @property
    def code(self) -> Path:
        """Frozen code, by its content."""
        return self.dir / REGISTRY_FOLDER / "code"

    def latest(self, experiment: str) -> Path:
        """The pointer to the newest sweep of an experiment."""
        return self.dir / experiment / LATEST
