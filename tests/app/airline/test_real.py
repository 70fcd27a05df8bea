from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.app.airline.fakes import ScriptedTarget

from app.workloads.airline import AirlineConfig, check, run
from app.workloads.airline.real import real_target
from app.workloads.airline.task import settings_of
from runyard import UsageError
from runyard.testing import active_run

ADAPTER = "tests.app.airline.fakes.make_target"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Puts a package named tau_bench where Python finds it."""

    def write(text: str) -> None:
        package = tmp_path / "site" / "tau_bench"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(text)
        monkeypatch.syspath_prepend(str(package.parent))

    yield write
    sys.modules.pop("tau_bench", None)
    importlib.invalidate_caches()


def test_without_tau_bench_real_is_refused_before_anything_runs_and_never_replaced(tmp_path: Path) -> None:
    cfg = AirlineConfig(mode="REAL", adapter=ADAPTER)
    with pytest.raises(UsageError, match="mode REAL needs tau_bench") as caught:
        check(cfg)
    assert caught.value.where == "airline.mode"
    assert "install tau_bench" in caught.value.todo
    with active_run(tmp_path), pytest.raises(UsageError, match="mode REAL needs tau_bench"):
        run(cfg)
    assert list(tmp_path.iterdir()) == []


def test_a_tau_bench_that_cannot_be_imported_is_refused_with_its_reason(install: Callable[[str], None]) -> None:
    install("raise ImportError('no module named litellm')")
    with pytest.raises(UsageError, match=r"cannot be imported \(no module named litellm\)"):
        real_target(ADAPTER, settings_of(AirlineConfig(mode="REAL")))


def test_with_tau_bench_and_without_an_adapter_real_is_refused(install: Callable[[str], None]) -> None:
    install("")
    with pytest.raises(UsageError, match="needs an adapter") as caught:
        check(AirlineConfig(mode="REAL"))
    assert caught.value.where == "airline.adapter"


@pytest.mark.parametrize("adapter", ["nowhere.make", "make", ".make", "tests.app.airline.fakes.makes", "", "a..b"])
def test_an_adapter_that_is_not_there_is_refused(install: Callable[[str], None], adapter: str) -> None:
    install("")
    with pytest.raises(UsageError, match="there is no adapter") as caught:
        real_target(adapter, settings_of(AirlineConfig(mode="REAL")))
    assert caught.value.where == "airline.adapter"


def test_an_adapter_that_is_no_function_is_refused(install: Callable[[str], None]) -> None:
    install("")
    with pytest.raises(UsageError, match="is no function"):
        real_target("tests.app.airline.fakes.NO_FUNCTION", settings_of(AirlineConfig(mode="REAL")))


def test_an_adapter_gets_the_settings_and_its_target_is_attacked(
    install: Callable[[str], None], tmp_path: Path
) -> None:
    install("")
    cfg = AirlineConfig(mode="REAL", adapter=ADAPTER, trials=2, max_turns=2, seed=4)
    check(cfg)
    assert isinstance(real_target(ADAPTER, settings_of(cfg)), ScriptedTarget)
    with active_run(tmp_path / "run"):
        metrics = run(cfg)
    assert metrics == {"trials": 2, "successes": 2, "asr": 1.0}
    rows = (tmp_path / "run" / "tables" / "trials.jsonl").read_text()
    assert rows.count('"tool": "refund", "amount": 304.0, "fired": true, "turn_first_hit": 2') == 2
