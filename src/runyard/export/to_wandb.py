"""Writes a sweep as offline runs of Weights & Biases: a run per job, in the group of the sweep. Sends nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from runyard.base import State, digest
from runyard.export.library import needed
from runyard.export.outcome import Exported
from runyard.export.subject import Subject, config_of, flat, histories_of, read_subject, sha_of, swept_of
from runyard.record import RunRecord


def export_wandb(sweep_dir: Path, *, out: Path | None = None, project: str | None = None) -> Exported:
    """Writes what has ended of a sweep below ``out``, or the sweep's folder: ``wandb/offline-run-*``, one per job.

    A run's id is made of the sweep's id and the job's number: exporting again replaces the folder of the export
    before, and ``wandb sync`` of both is one run there. Nothing goes over the network.

    Args:
        sweep_dir: the sweep.
        out: where ``wandb/`` is made.
        project: the project that ``wandb sync`` sends the runs to; None for the sweep's experiment.

    Raises:
        UsageError: wandb is not installed.
        RecordError: the directory is not that of a sweep.
    """
    with needed("wandb"):
        import wandb  # noqa: F401
    subject = read_subject(sweep_dir)
    folder = out or sweep_dir
    folder.mkdir(parents=True, exist_ok=True)
    for run in subject.ended:
        _write(subject, run, folder, project or subject.sweep.experiment)
    return Exported(
        target="wandb",
        place=str(folder / "wandb"),
        written=tuple(run.job for run in subject.ended),
        kept=(),
        left_out=subject.left_out,
    )


def run_id(run: RunRecord) -> str:
    """The id of a job's run there: the same at every export."""
    return digest({"sweep": run.sweep_id, "job": run.job})[:16]


def _write(subject: Subject, run: RunRecord, folder: Path, project: str) -> None:
    import wandb

    identity = run_id(run)
    for old in (folder / "wandb").glob(f"offline-run-*-{identity}"):
        shutil.rmtree(old)
    there = wandb.init(
        mode="offline",
        dir=str(folder),
        id=identity,
        project=project,
        group=run.sweep_id,
        name=f"{run.sweep_id}/{run.job}",
        config={**dict(flat(config_of(run))), **swept_of(run), "runyard": _facts(run)},
        notes=subject.sweep.note or None,
        settings=wandb.Settings(silent=True, console="off", disable_git=True, save_code=False),
    )
    for step, values in sorted(_steps(run).items()):
        there.log(values, step=step)
    for name, value in run.metrics.items():
        there.summary[name] = value
    there.finish(exit_code=0 if run.state is State.COMPLETED else 1)


def _facts(run: RunRecord) -> dict[str, Any]:
    return {
        "sweep_id": run.sweep_id,
        "job": run.job,
        "run_key": run.run_key,
        "state": run.state.value,
        "attempts": len(run.attempts),
        "git_sha": sha_of(run),
    }


def _steps(run: RunRecord) -> dict[int, dict[str, float]]:
    """The values of all histories by step: steps must come in order there."""
    found: dict[int, dict[str, float]] = {}
    for name, points in histories_of(run).items():
        for step, value in points:
            found.setdefault(step, {})[name] = value
    return found
