from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runyard.base import State
from runyard.record import (
    Code,
    Drift,
    Imports,
    ImportWatch,
    RunRecord,
    SweepPaths,
    code_of,
    imported_code,
    read_code,
    save_code,
)

ImportModule = Callable[[str, str], Path]


@pytest.fixture
def import_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ImportModule]:
    """Writes a module and imports it; afterwards it was never there."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def make(name: str, text: str) -> Path:
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        importlib.invalidate_caches()
        importlib.import_module(name)
        return path

    yield make
    for name in set(sys.modules) - before:
        del sys.modules[name]


def _run(code: object, **provenance: object) -> RunRecord:
    told = {"python": ".".join(map(str, sys.version_info[:3])), "packages": {}, "code": code, **provenance}
    return RunRecord(
        sweep_id="s",
        job=0,
        run_key="1-a",
        state=State.COMPLETED,
        overrides=(),
        params={},
        run_dir="0",
        provenance=told,
    )


def test_only_the_applications_own_files_are_its_code(tmp_path: Path, import_module: ImportModule) -> None:
    import_module("code_of_mine", "x = 1\n")
    files = imported_code(tmp_path).files
    assert "code_of_mine.py" in files
    for library in ("omegaconf", "os", "runyard", "runyard.record.code"):
        assert str(sys.modules[library].__file__) not in files


def test_a_file_elsewhere_has_its_whole_path(tmp_path: Path, import_module: ImportModule) -> None:
    path = import_module("code_elsewhere", "x = 1\n")
    assert str(path) in imported_code(tmp_path / "other").files


def test_the_same_text_has_the_same_id_and_another_has_another(tmp_path: Path, import_module: ImportModule) -> None:
    path = import_module("code_with_id", "x = 1\n")
    names = ["code_with_id"]
    first = imported_code(tmp_path, names=names)
    path.touch()
    assert imported_code(tmp_path, names=names).id == first.id
    path.write_text("x = 2\n")
    assert imported_code(tmp_path, names=names).id != first.id


def test_a_file_that_was_changed_after_the_run_began_is_not_known(tmp_path: Path, import_module: ImportModule) -> None:
    path = import_module("code_changed", "x = 1\n")
    assert imported_code(tmp_path, names=["code_changed"], begun_at=time.time() + 1).files["code_changed.py"]
    os.utime(path, (time.time() + 60,) * 2)
    assert imported_code(tmp_path, names=["code_changed"], begun_at=time.time()).files == {"code_changed.py": ""}


def test_what_is_kept_of_a_sweep_is_read_back(tmp_path: Path) -> None:
    code = Code(files={"b.py": "1", "a.py": "2"})
    save_code(tmp_path / "snapshot" / "code.json", code)
    assert read_code(tmp_path / "snapshot" / "code.json") == code


@pytest.mark.parametrize("text", [None, "", "{}", '{"files": 3}', "[1]"])
def test_what_cannot_be_read_is_no_code(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "code.json").write_text(text)
    assert read_code(tmp_path / "code.json") is None


def test_a_forked_run_tells_only_what_it_imports_itself(tmp_path: Path, import_module: ImportModule) -> None:
    import_module("code_before", "x = 1\n")
    watch = ImportWatch(tmp_path, {"base": "b", "files": {"edited.py": "1"}}, Imports())
    assert watch.told() == {"base": "b", "files": {"edited.py": "1"}}
    import_module("code_after", "x = 1\n")
    os.utime(tmp_path / "code_after.py", (1, 1))
    told = watch.told()
    assert told["base"] == "b"
    assert set(told["files"]) == {"edited.py", "code_after.py"}
    assert "" not in told["files"].values()


def test_a_run_on_its_own_tells_all(tmp_path: Path, import_module: ImportModule) -> None:
    os.utime(import_module("code_alone", "x = 1\n"), (1, 1))
    told = ImportWatch(tmp_path, None).told()
    assert told["base"] is None
    assert told["files"]["code_alone.py"]


def test_the_code_of_a_run_is_the_base_and_its_own(tmp_path: Path) -> None:
    base = Code(files={"a.py": "1", "b.py": "1"})
    save_code(SweepPaths(tmp_path).code, base)
    run = _run({"base": base.id, "files": {"b.py": "2", "c.py": "3"}})
    assert code_of(run, tmp_path) == Code(files={"a.py": "1", "b.py": "2", "c.py": "3"})


@pytest.mark.parametrize(
    "code",
    [
        None,
        {},
        {"base": "another", "files": {}},
        {"base": None, "files": {"a.py": ""}},
        {"base": None, "files": None},
    ],
)
def test_code_that_was_not_recorded_is_not_guessed(tmp_path: Path, code: object) -> None:
    save_code(SweepPaths(tmp_path).code, Code(files={"a.py": "1"}))
    assert code_of(_run(code), tmp_path) is None
    assert Drift(tmp_path).changes(_run(code), tmp_path) == ["nobody can tell which code it ran"]


def test_what_has_changed_is_named(tmp_path: Path, import_module: ImportModule) -> None:
    same = import_module("code_same", "x = 1\n")
    import_module("code_other", "x = 1\n")
    gone = import_module("code_gone", "x = 1\n")
    names = ["code_same", "code_other", "code_gone"]
    run = _run({"base": None, "files": dict(imported_code(tmp_path, names=names).files)})
    assert Drift(tmp_path).changes(run, tmp_path) == []
    same.touch()
    (tmp_path / "code_other.py").write_text("x = 2\n")
    gone.unlink()
    assert Drift(tmp_path).changes(run, tmp_path) == ["code_other.py changed", "code_gone.py is gone"]


def test_other_packages_and_another_python_are_changes_and_another_launcher_is_none(tmp_path: Path) -> None:
    packages = {"omegaconf": "0.1", "not-there": "1.0", "runyard": "0.0.0"}
    changes = Drift(tmp_path).changes(_run({"base": None, "files": {}}, packages=packages, python="3.1.4"), tmp_path)
    assert len(changes) == 3
    assert changes[0].startswith("omegaconf was 0.1 and is ")
    assert changes[1] == "not-there was 1.0 and is not installed"
    assert changes[2].startswith("Python was 3.1.4 and is ")
