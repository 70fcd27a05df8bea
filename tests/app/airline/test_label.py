from __future__ import annotations

from enum import Enum
from typing import Any

import pytest

from app.workloads.airline.label import label, note

WORKLOAD = {"mode": "SHIM", "seed": 0, "trials": 5}
PARAMS = {"params": {"workload.seed": "41,42,43"}}


class Mode(Enum):
    RUN = 1
    MULTIRUN = 2


@pytest.mark.parametrize(
    ("sweeper", "overrides", "expected"),
    [
        (PARAMS, [], "SHIM-s41-42-43-t5"),
        (PARAMS, ["workload.seed=1,2"], "SHIM-s1-2-t5"),
        (PARAMS, ["workload.seed=7"], "SHIM-s7-t5"),
        (PARAMS, ["workload.seed=1", "workload.seed=range(3)"], "SHIM-s0-1-2-t5"),
        (PARAMS, ["workload.mode=SHIM,SEEDED_SHIM", "workload.trials=3,10"], "SHIM-SEEDED_SHIM-s41-42-43-t3-10"),
        (PARAMS, ["workload.seed=interval(0,1)"], "SHIM-sswept-t5"),
        (PARAMS, ["workload.seed=range(40)"], "SHIM-s0..39x40-t5"),
        (PARAMS, ["+workload.seeds=3"], "SHIM-s41-42-43-t5"),
        ({"params": None}, [], "SHIM-s0-t5"),
        ({"seeds": 3, "seed_key": "workload.seed"}, [], "SHIM-s0-1-2-t5"),
        ({"seeds": [4, 9], "seed_key": "workload.seed"}, [], "SHIM-s4-9-t5"),
        ({"seeds": [4, 9], "seed_key": "other.seed"}, [], "SHIM-s0-t5"),
        ({"table": "plan.csv"}, ["workload.mode=REAL", "workload.trials=2"], "REAL-sswept-t2"),
    ],
)
def test_a_label_follows_the_sweep(sweeper: dict[str, Any], overrides: list[str], expected: str) -> None:
    assert label(WORKLOAD, sweeper, overrides, Mode.MULTIRUN) == expected


def test_a_run_that_is_no_sweep_has_the_seed_of_its_own_config() -> None:
    assert label(WORKLOAD, PARAMS, [], Mode.RUN) == "SHIM-s0-t5"
    assert label(WORKLOAD, PARAMS, ["workload.seed=8"], Mode.RUN) == "SHIM-s8-t5"


def test_a_note_is_there_where_the_seed_has_no_effect() -> None:
    said = "SHIM is deterministic: the seed has no effect"
    assert note(WORKLOAD, PARAMS, [], Mode.MULTIRUN) == said
    assert note(WORKLOAD, PARAMS, ["workload.mode=SHIM,SEEDED_SHIM"], Mode.MULTIRUN) == said
    assert note(WORKLOAD, PARAMS, ["workload.mode=SEEDED_SHIM"], Mode.MULTIRUN) == ""
