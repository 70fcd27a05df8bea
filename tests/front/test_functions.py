"""Sweeps of plain functions."""

from __future__ import annotations

import io
import os
import signal
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig
from tests.conftest import Shell, read_json, wait_for

from runyard.base import UsageError
from runyard.front import SweepHandle, attach, keep_function, sweep
from runyard.orchestrate import status
from runyard.record import read_runs, read_sweep

_LONG_S = 120


@dataclass
class Inner:
    depth: int | None = 2


@dataclass(frozen=True)
class Config:
    x: float = 1.0
    seed: int = 0
    text: str = ""
    inner: Inner = field(default_factory=Inner)


def train(cfg: Config) -> dict[str, float]:
    assert isinstance(cfg, Config)
    assert isinstance(cfg.inner, Inner)
    return {"twice": 2 * cfg.x, "depth": cfg.inner.depth or 0}


def score(cfg: Config, scale: float = 3) -> float:
    return cfg.x * scale


def without_annotation(cfg):  # type: ignore[no-untyped-def]
    return 1.0


def of_hydra(cfg: DictConfig) -> float:
    return 1.0


def of_nothing() -> float:
    return 1.0


def of_two(cfg: Config, other: int) -> float:
    return 1.0


def of_names(*, cfg: Config) -> float:
    return 1.0


@dataclass
class Strange:
    lock: threading.Thread = field(default_factory=threading.Thread)


def of_strange(cfg: Strange) -> float:
    return 1.0


@pytest.fixture(autouse=True)
def _own_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNYARD_DEVICES_DIR", str(tmp_path / "devices"))


def _metrics(handle: SweepHandle) -> dict[int, dict[str, Any]]:
    return {run.job: dict(run.metrics) for run in read_runs(handle.dir)}


def test_a_function_of_a_module_is_swept_with_its_dataclass(tmp_path: Path) -> None:
    handle = sweep(
        train, {"x": [1, 2], "inner.depth": 5}, seeds=2, label="first", dir="runs", n_jobs=1, cwd=tmp_path, wait=True
    )
    assert handle.status().counts == {"COMPLETED": 4}
    assert _metrics(handle)[3] == {"twice": 4, "depth": 5}
    assert handle.dir.parent == tmp_path / "runs" / "train"
    assert handle.id.endswith("-first")
    assert "4 COMPLETED" in (handle.dir / "start.log").read_text()
    assert len(handle.results().results) == 4


def test_values_of_an_instance_stand_where_nothing_else_is_given(tmp_path: Path) -> None:
    config = Config(x=7, inner=Inner(depth=None))
    handle = sweep(score, {"seed": [1, 2]}, config=config, experiment="named", cwd=tmp_path, wait=True)
    assert {m["return_value"] for m in _metrics(handle).values()} == {21}
    assert handle.dir.parent.name == "named"


def test_a_lambda_with_a_config_is_a_function(tmp_path: Path) -> None:
    handle = sweep(lambda cfg: cfg.x + 1, {"x": [1]}, config=Config(), cwd=tmp_path, wait=True)
    assert _metrics(handle) == {0: {"return_value": 2}}
    assert handle.dir.parent.name == "function"


def test_a_nested_function_brings_what_it_refers_to(tmp_path: Path) -> None:
    offset = 10

    @dataclass
    class Local:
        x: int = 1
        inner: Inner = field(default_factory=Inner)

    def nested(cfg: Any) -> float:
        assert type(cfg).__name__ == "Local"
        return float(cfg.x + offset + (cfg.inner.depth or 0))

    handle = sweep(nested, {"x": [1, 2]}, config=Local(), cwd=tmp_path, wait=True)
    assert [m["return_value"] for m in _metrics(handle).values()] == [13, 14]


@pytest.mark.parametrize(
    ("target", "config", "said"),
    [
        (lambda cfg: 1.0, None, "cfg has no annotation"),
        (without_annotation, None, "cfg has no annotation"),
        (of_hydra, None, "annotated with DictConfig, which is no dataclass"),
        (of_nothing, None, "takes one parameter, its config, and this one takes none"),
        (of_two, None, "this one takes cfg, other"),
        (of_names, None, "this one takes cfg"),
        (of_strange, None, "Strange cannot be a config of Hydra"),
        (train, {"x": 1}, "config is no dataclass but a dict"),
        (train, Config, "config is no dataclass but a type"),
        (7, None, "a int is no target of a sweep"),
        (Config, None, "a type is no target of a sweep"),
        ("some.module", Config(), "an application has a config of its own"),
    ],
)
def test_what_cannot_be_swept_is_refused_with_the_place_and_what_to_do(target: Any, config: Any, said: str) -> None:
    with pytest.raises(UsageError, match=rf"{said}[\s\S]*where: [\s\S]*to do: "):
        sweep(target, {"x": [1]}, config=config)


def test_an_annotation_that_only_the_inside_of_a_function_knows_is_told() -> None:
    @dataclass
    class Local:
        x: int = 1

    def nested(cfg: Local) -> float:
        return cfg.x

    with pytest.raises(UsageError, match=r"annotation of cfg cannot be read .*Local[\s\S]*give config="):
        keep_function(nested)
    assert keep_function(nested, Local()).name == "nested"


def test_what_cannot_be_stored_is_named() -> None:
    stream = io.TextIOWrapper(io.BytesIO())

    def nested(cfg: Config) -> None:
        stream.write("no")

    with pytest.raises(UsageError, match=r"cannot be kept for another process: 'stream' cannot be stored[\s\S]*test_"):
        keep_function(nested)


def test_a_name_that_is_not_in_the_config_is_refused_without_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nonsense") as refused:
        sweep(train, {"nonsense": [1]}, cwd=tmp_path)
    assert "Traceback" not in str(refused.value)
    assert not list(tmp_path.glob("multirun/train/2*"))


SCRIPT = """
from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import near
import runyard

SCALE = 3
hydra = run = task = None  # names that the program which runs the function must not need


@dataclass
class Config:
    x: Optional[float] = 1.0
    where: str = ""


def scaled(value):
    assert hydra is run is task is None
    return SCALE * near.same(value)


def train(cfg: Config) -> dict:
    if cfg.where and cfg.x == 2:
        Path(cfg.where, "begun").touch()
        while not Path(cfg.where, "go").exists():
            time.sleep(0.05)
    return {"loss": scaled(cfg.x)}


if __name__ == "__main__":
    print(runyard.sweep(train, {"x": [1, 2, 3], "where": sys.argv[1]}, n_jobs=1).dir, flush=True)
    if "--die" in sys.argv:
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def script(shell: Shell) -> Path:
    folder = shell.cwd / "code"
    folder.mkdir()
    (folder / "near.py").write_text("def same(value):\n    return value\n")
    (folder / "script.py").write_text(SCRIPT)
    return folder / "script.py"


def _started(shell: Shell, *args: str, check: int = 0) -> SweepHandle:
    return attach(shell.python(*args, check=check).stdout.strip())


def test_a_function_of_a_script_is_swept_and_its_text_is_in_the_record(shell: Shell, script: Path) -> None:
    handle = _started(shell, str(script), "")
    handle.wait(_LONG_S)
    assert [m["loss"] for m in _metrics(handle).values()] == [3, 6, 9]
    assert set(read_json(handle.dir / "snapshot" / "code.json")["files"]) == {"code/near.py", "code/script.py"}


def test_a_sweep_of_a_function_goes_on_when_its_starter_is_killed(shell: Shell, script: Path) -> None:
    handle = _started(shell, str(script), "", "--die", check=-signal.SIGKILL)
    assert handle.wait(_LONG_S).counts == {"COMPLETED": 3}


def _kill_controller(handle: SweepHandle) -> None:
    holder = wait_for(lambda: status(handle.dir).controller)
    os.kill(int(holder["pid"]), signal.SIGKILL)
    wait_for(lambda: not handle.status().is_at_work)


def test_a_killed_sweep_of_a_script_is_taken_up_by_the_command_as_it_was(shell: Shell, script: Path) -> None:
    handle = _started(shell, str(script), str(shell.cwd))
    wait_for((shell.cwd / "begun").exists, _LONG_S)
    _kill_controller(handle)
    (shell.cwd / "go").touch()
    script.unlink()  # what was started is what goes on
    shell.runyard("resume", str(handle.dir), check=0)
    assert [m["loss"] for m in _metrics(handle).values()] == [3, 6, 9]
    assert [len(run.attempts) for run in read_runs(handle.dir)] == [1, 2, 1]


CELL = """
from dataclasses import dataclass
import dataclasses

@dataclass
class Config:
    x: float = 1.0
    where: str = ""

def train(cfg: Config):
    import pathlib, pickle, time
    assert pickle.loads(pickle.dumps(cfg)) == cfg
    if cfg.where and cfg.x == 2:
        pathlib.Path(cfg.where, "begun").touch()
        while not pathlib.Path(cfg.where, "go").exists():
            time.sleep(0.05)
    return {"loss": 3 * dataclasses.replace(cfg, x=cfg.x + 1).x}
"""
NOTEBOOK = f"""
import sys
import __main__
exec(compile({CELL!r}, "<ipython-input-1>", "exec"), vars(__main__))
import runyard
print(runyard.sweep(train, {{"x": [1, 2], "where": sys.argv[1]}}, n_jobs=1).dir, flush=True)
"""


def test_a_function_of_a_notebook_is_kept_by_value_and_taken_up_without_the_notebook(shell: Shell) -> None:
    handle = _started(shell, "-c", NOTEBOOK, str(shell.cwd))
    wait_for((shell.cwd / "begun").exists, _LONG_S)
    _kill_controller(handle)
    (shell.cwd / "go").touch()
    kept = handle.dir / "snapshot" / "function.pkl"
    assert kept.stat().st_mode & 0o077 == 0
    shell.runyard("resume", str(handle.dir), check=0)
    assert [m["loss"] for m in _metrics(handle).values()] == [6, 9]


def test_the_result_of_a_notebooks_function_is_not_taken_for_that_of_another(shell: Shell) -> None:
    again = NOTEBOOK.replace("n_jobs=1", "n_jobs=1, overrides=['hydra.sweeper.reuse=completed']")
    for text in (NOTEBOOK, again):
        handle = _started(shell, "-c", text, "")
        handle.wait(_LONG_S)
    assert [run.reused for run in read_runs(handle.dir)] == [None, None]


@pytest.mark.parametrize("isolation", ["fork", "spawn", "inline"])
def test_a_function_by_value_runs_in_every_kind_of_process(shell: Shell, isolation: str) -> None:
    text = NOTEBOOK.replace("n_jobs=1", f"n_jobs=1, overrides=['hydra.launcher.isolation={isolation}']")
    handle = _started(shell, "-c", text, "")
    assert handle.wait(_LONG_S).counts == {"COMPLETED": 2}


def test_a_function_that_was_taken_away_is_told(shell: Shell, script: Path) -> None:
    handle = _started(shell, str(script), str(shell.cwd))
    wait_for((shell.cwd / "begun").exists, _LONG_S)
    _kill_controller(handle)
    (handle.dir / "snapshot" / "function.pkl").unlink()
    with pytest.raises(UsageError, match=r"the function of this sweep is not there[\s\S]*to do") as refused:
        handle.resume()
    assert "Traceback" not in str(refused.value)
    assert "is not there" in (handle.dir / "resume.log").read_text()


def test_two_sweeps_at_once_have_directories_of_their_own(tmp_path: Path) -> None:
    found: list[SweepHandle] = []

    def start() -> None:
        found.append(sweep(score, {"x": [1, 2]}, n_jobs=1, cwd=tmp_path))

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({handle.dir for handle in found}) == 2
    assert [handle.wait(_LONG_S).counts for handle in found] == [{"COMPLETED": 2}] * 2


def test_nothing_is_left_in_the_folder_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    handle = sweep(score, {"x": [1]}, cwd=tmp_path, wait=True)
    with pytest.raises(UsageError):
        sweep(score, {"nonsense": [1]}, cwd=tmp_path)
    assert list(scratch.iterdir()) == []
    assert read_sweep(handle.dir).state == "COMPLETED"


def test_a_handle_shows_itself_in_a_notebook_and_escapes_what_it_shows(tmp_path: Path) -> None:
    handle = sweep(train, {"x": [1, 2]}, label="a<b", dir="<runs>", cwd=tmp_path, wait=True)
    shown = handle._repr_html_()
    assert "<td>2 COMPLETED</td>" in shown
    assert "&lt;runs&gt;" in shown
    assert "<runs>" not in shown
    assert "twice" in shown


def test_what_a_broken_application_says_is_shortened(tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("print('word ' * 9000)\nraise ValueError('at the end')\n")
    with pytest.raises(UsageError, match="at the end") as refused:
        sweep(script, {"x": [1]}, cwd=tmp_path)
    assert len(str(refused.value)) < 1500
    assert "broken.py" in str(refused.value)
