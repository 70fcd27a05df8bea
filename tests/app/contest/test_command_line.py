"""The contest through the command line, as its users run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import REPO, Shell, read_json, wait_for

from app.contest.launch import Request, overrides_of
from app.workloads.contest.manifest import LAYOUT, artifact_hashes

SOURCES = {"PYTHONPATH": str(REPO / "src")}
SMALL = {
    "variants.count": 2,
    "optimizer.lineups": 2,
    "sampler.field_size": 60,
    "sampler.skill": 1,
    "sim.worlds": 50,
}


def words(*more: str, **changes: Any) -> list[str]:
    values = {**SMALL, **{key.replace("__", "."): value for key, value in changes.items()}}
    return ["workload=contest", *(f"workload.{key}={value}" for key, value in values.items()), *more]


def contest(shell: Shell, *args: str, **options: Any) -> Any:
    return shell.python("-m", "app.contest", *args, **SOURCES, **options)


def git(folder: Path, *args: str) -> str:
    name = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    done = subprocess.run(["git", *name, *args], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def how(run: Path) -> dict[str, str]:
    return {stage: read_json(run / stage / "stage.json")["how"] for stage in LAYOUT}


@pytest.fixture
def sections(shell: Shell) -> list[str]:
    """Options for small config files of the four sections."""
    options = []
    for section in ("variants", "optimizer", "sampler", "sim"):
        values = {key.split(".")[1]: value for key, value in SMALL.items() if key.startswith(f"{section}.")}
        (shell.cwd / f"{section}.yaml").write_text(json.dumps(values))
        options += [f"--{section}-config", f"{section}.yaml"]
    return options


def test_orchestrator_one_command_runs_records_and_tells(shell: Shell, sections: list[str]) -> None:
    git(shell.cwd, "init", "-q")
    git(shell.cwd, "commit", "-q", "--allow-empty", "-m", "nothing")
    contest(shell, "slate", "--slate", "2025-10-25", "--slates", "data/slates", "--seed", "3", check=0)
    options = ["--slate", "2025-10-25", "--contest", "DK_MME_20", "--seed", "1337", "--tag", "mvp-e2e"]
    done = contest(shell, "run", *options, *sections, check=0)
    run = shell.only_sweep("2025-10-25", root="outputs")
    manifest, record = read_json(run / "manifest.json"), read_json(run / "run.json")
    told = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert told["run_id"] == run.name == manifest["run_id"]
    assert Path(told["artifacts"]) == run
    assert f"{record['metrics']['roi_mean']:+.4f}" in told["roi_mean"]
    assert manifest["git"] == git(shell.cwd, "rev-parse", "HEAD")[:7] == record["provenance"]["git"]["sha"][:7]
    assert (manifest["slate_id"], manifest["contest"], manifest["tag"]) == ("2025-10-25", "DK_MME_20", "mvp-e2e")
    assert manifest["seeds"]["run"] == 1337 and manifest["inputs"]["source"] == "files"
    # the registry has the run by its id, slate, contest, tag, place and head
    (listed,) = json.loads(shell.runyard("ls", "--json", check=0).stdout)
    assert (listed["sweep_id"], listed["experiment"], listed["tags"]) == (run.name, "2025-10-25", ["mvp-e2e"])
    assert Path(listed["path"]).name == run.name and listed["note"] == "DK_MME_20 on 2025-10-25"
    columns = ["sweep_id", "experiment", "note", "tags", *(f"metrics.{name}" for name in manifest["metrics_head"])]
    asked = shell.runyard("query", "'mvp-e2e' in tags", "--json", "-c", ",".join(columns), check=0)
    (row,) = json.loads(asked.stdout)
    assert row["sweep_id"] == run.name and row["metrics.roi_mean"] == manifest["metrics_head"]["roi_mean"]
    assert {name: record["metrics"][name] for name in manifest["metrics_head"]} == manifest["metrics_head"]
    again = contest(shell, "run", *options, *sections, "--json", "--runs-dir", "runs", check=0)
    told = json.loads(again.stdout)
    assert set(told) == {"run_id", "artifact_path", "metrics_head"}
    assert Path(told["artifact_path"]) == shell.cwd / "runs" / "2025-10-25" / told["run_id"]
    assert told["metrics_head"] == manifest["metrics_head"]
    assert artifact_hashes(run) == artifact_hashes(Path(told["artifact_path"]))
    export = str(run / "optimizer" / "dk_export.csv")
    assert "2 lineups keep to the rules" in contest(shell, "check", export, "--slate", "2025-10-25", check=0).stdout


def test_orchestrator_the_script_with_its_presets(shell: Shell) -> None:
    environment = shell.environment(PYTHON=sys.executable, **SOURCES)
    script = str(REPO / "scripts" / "run_orch.sh")

    def start(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [script, *args], cwd=shell.cwd, env=environment, capture_output=True, text=True, timeout=240, check=False
        )

    done = start("smoke", "--slate", "synthetic-7", "--seed", "5", "--set", "workload.sim.worlds=40")
    assert done.returncode == 0, done.stderr
    manifest = read_json(shell.only_sweep("synthetic-7", root="outputs") / "manifest.json")
    assert (manifest["slate_id"], manifest["seeds"]["run"]) == ("synthetic-7", 5)
    assert "100 entries" in done.stdout and "40 worlds" in done.stdout
    unknown = start("smok")
    assert unknown.returncode == 2
    assert "there is no preset 'smok'; known: default precise smoke" in unknown.stderr


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["run", "--slate", "nowhere"], "there is no slate 'nowhere'"),
        (["run", "--contest", "DK_MME"], "did you mean 'DK_MME_20'?"),
        (["run", "--sim-config", "wrong.yaml"], "unknown key 'wolrds'"),
        (["run", "--sim-config", "none.yaml"], "cannot read the config"),
        (["run", "--set", "workload.sim.wolrds=3"], "wolrds"),
        (["slate", "--slate", "../a"], "cannot be a slate's name"),
        (["check", "none.csv"], "cannot read the export"),
        (["run", "--seed", "-1"], "must be 0 or more"),
    ],
)
def test_wrong_input_is_refused_with_what_to_do(shell: Shell, args: list[str], says: str) -> None:
    (shell.cwd / "wrong.yaml").write_text("wolrds: 3\n")
    done = contest(shell, *args, check=2)
    assert says in done.stderr and "Traceback" not in done.stderr
    assert not (shell.cwd / "outputs").exists()


def test_a_slate_that_is_there_is_not_written_over_by_another(shell: Shell) -> None:
    for _ in range(2):
        contest(shell, "slate", "--slate", "a", "--slates", ".", check=0)
    before = (shell.cwd / "a" / "projections.csv").read_text()
    assert (
        "there is another file"
        in contest(shell, "slate", "--slate", "a", "--slates", ".", "--seed", "1", check=2).stderr
    )
    assert (shell.cwd / "a" / "projections.csv").read_text() == before
    contest(shell, "slate", "--slate", "a", "--slates", ".", "--seed", "1", "--force", check=0)
    assert (shell.cwd / "a" / "projections.csv").read_text() != before


@pytest.mark.parametrize(
    "value", ["a", "a'b", "a\\'b", "x\\", "a,b=c [x] {y}", '"', "", "${oc.env:HOME}", True, 3, ["a'", 1]]
)
def test_values_arrive_as_they_were_given(value: Any) -> None:
    from hydra.core.config_loader import ConfigLoader  # noqa: F401 - registers what the parser needs
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from omegaconf import OmegaConf

    words = overrides_of(Request(inputs={"slates": value}))
    override = OverridesParser.create().parse_override(next(w for w in words if w.startswith("workload.slates=")))
    assert OmegaConf.to_container(OmegaConf.create({"key": override.value()}), resolve=True)["key"] == value


def test_jobs_of_a_sweep_share_the_stages_that_they_have_in_common(shell: Shell) -> None:
    args = words("hydra.launcher.n_jobs=2", optimizer__lam="0,20", sampler__field_size="60,80")
    shell.python("-m", "app", "-m", *args, **SOURCES, check=0)
    sweep = shell.only_sweep("app")
    ways = [how(sweep / str(job)) for job in range(4)]
    ran = {stage: sum(way[stage] == "run" for way in ways) for stage in LAYOUT}
    assert ran == {"variants": 1, "optimizer": 2, "field_sampler": 4, "sim": 4, "export": 4}
    cached = {stage: [way[stage] for way in ways if way[stage] != "run"] for stage in ("variants", "optimizer")}
    assert all(text.startswith("cached from job ") for texts in cached.values() for text in texts)
    assert len({(sweep / str(job) / "variants" / "catalog.parquet").read_bytes() for job in range(4)}) == 1
    assert len({(sweep / str(job) / "optimizer" / "lineups.parquet").read_bytes() for job in range(4)}) == 2
    assert read_json(sweep / "3" / "manifest.json")["run_id"] == f"{sweep.name}/3"
    table = (sweep / "tables" / "lineups.csv").read_text().splitlines()
    assert len(table) == 1 + 4 * 2


def test_a_job_killed_in_its_simulation_goes_on_from_there_and_ends_as_if_it_had_not_been_killed(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    args = words(optimizer__lineups=1, sampler__field_size=4000, sim__worlds=2500, sim__chunk=1)
    monkeypatch.setenv("PYTHONPATH", SOURCES["PYTHONPATH"])
    process = shell.start("-m", "app", "-m", *args)
    job = wait_for(lambda: next(iter(shell.sweeps("app")), None), timeout_s=120) / "0"
    wait_for(lambda: _has_begun(job), timeout_s=120)
    os.kill(read_json(job / "run.json")["attempts"][-1]["pid"], signal.SIGKILL)
    assert process.wait(timeout=120) == 1
    killed = {stage: read_json(job / stage / "stage.json")["state"] for stage in ("variants", "field_sampler")}
    assert set(killed.values()) == {"COMPLETED"}
    assert not (job / "sim" / "metrics.json").exists() and not (job / "manifest.json").exists()
    shell.runyard("resume", check=0)
    records = {stage: read_json(job / stage / "stage.json") for stage in LAYOUT}
    assert {stage: bool(record.get("done_before")) for stage, record in records.items()} == {
        "variants": True,
        "optimizer": True,
        "field_sampler": True,
        "sim": False,
        "export": False,
    }
    attempts = [attempt["state"] for attempt in read_json(job / "run.json")["attempts"]]
    assert len(attempts) == 2 and attempts[1] == "COMPLETED"
    shell.python("-m", "app", "-m", *args, check=0)
    assert artifact_hashes(job) == artifact_hashes(shell.sweeps("app")[-1] / "0")
    assert _metrics(job) == _metrics(shell.sweeps("app")[-1] / "0")


def _has_begun(job: Path) -> bool:
    """Whether the simulation has some worlds behind it."""
    log = job / "sim" / "logs.jsonl"
    return log.exists() and '"done":' in log.read_text()


def _metrics(job: Path) -> Mapping[str, Any]:
    metrics: Mapping[str, Any] = read_json(job / "run.json")["metrics"]
    return metrics
