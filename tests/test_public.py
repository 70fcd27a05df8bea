from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import runyard

FREE = {"runyard", "runyard.base", "runyard.record", "runyard.pipeline"}


def _loaded_by(code: str) -> set[str]:
    """The modules that a new interpreter has loaded by ``code``, besides its own."""
    show = f"import sys; before = set(sys.modules)\n{code}\nprint(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_it_loads_nothing_else_of_it() -> None:
    loaded = _loaded_by("import runyard")
    assert {name for name in loaded if name.startswith("runyard")} == {"runyard"}
    assert loaded.isdisjoint({"dataclasses", "hashlib", "importlib.metadata", "inspect", "json", "logging"})


#: those that need Hydra or pandas, and are not for tasks
HEAVY = {"Results", "SweepHandle", "attach", "load", "run_application", "sweep"}


@pytest.mark.parametrize("name", sorted(set(runyard.__all__) - HEAVY))
def test_a_name_loads_its_room_and_never_hydra(name: str) -> None:
    loaded = _loaded_by(f"from runyard import {name}")
    rooms = {".".join(module.split(".")[:2]) for module in loaded if module.startswith("runyard")}
    assert rooms <= FREE
    assert loaded.isdisjoint({"hydra", "omegaconf", "pandas", "numpy", "matplotlib", "email"})


def test_every_public_name_is_there_and_they_are_in_order() -> None:
    assert list(runyard.__all__) == sorted(runyard.__all__)
    for name in runyard.__all__:
        assert getattr(runyard, name).__name__.rpartition(".")[2] == name  # a module has its room before it


def test_a_name_is_the_rooms_own_and_the_same_each_time() -> None:
    from runyard.base import UsageError
    from runyard.record import table

    assert runyard.UsageError is UsageError
    assert runyard.table is table is runyard.table


def test_a_new_interpreter_lists_its_names_before_they_are_loaded() -> None:
    code = (
        "import runyard\n"
        "assert set(runyard.__all__) | {'__version__'} <= set(dir(runyard)), dir(runyard)\n"
        "assert dir(runyard) == sorted(dir(runyard))"
    )
    assert {name for name in _loaded_by(code) if name.startswith("runyard")} == {"runyard"}


def test_all_of_it_can_be_imported_with_a_star() -> None:
    names: dict[str, Any] = {}
    exec("from runyard import *", names)
    assert set(runyard.__all__) <= names.keys()


def test_another_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="module 'runyard' has no attribute 'tabel'"):
        runyard.tabel  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError, match="tabel"):
        exec("from runyard import tabel", {})


def test_what_tasks_call_is_loaded_before_their_processes_are_forked() -> None:
    assert {"runyard.pipeline.stage", "runyard.pipeline.shared", "runyard.record.table"} <= _loaded_by(
        "import runyard.orchestrate"
    )
