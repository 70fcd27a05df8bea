from __future__ import annotations

import dataclasses
import re

import pytest
import yaml
from tests.conftest import REPO

from app.workloads.contest.config import ContestConfig, settled, validate
from app.workloads.contest.task import check
from runyard import UsageError


def changed(**values: object) -> ContestConfig:
    cfg = ContestConfig()
    for key, value in values.items():
        section, _, name = key.rpartition("__")
        setattr(getattr(cfg, section) if section else cfg, name, value)
    return cfg


def test_the_defaults_can_run() -> None:
    check(ContestConfig())
    assert settled(ContestConfig()) == ContestConfig()


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"seed": -1}, "seed must be a whole number of at least 0"),
        ({"variants__count": 0}, "variants.count must be a whole number from 1 to 10000"),
        ({"variants__pct": -1.0}, "variants.pct must be a number from 0"),
        ({"variants__pct": float("nan")}, "variants.pct must be a number"),
        ({"optimizer__uniques": 9}, "optimizer.uniques must be a whole number from 1 to 8"),
        ({"optimizer__p0": 0.0}, "optimizer.p0 must be a number from 1e-06 to 1"),
        ({"optimizer__lock": ["A", "A"]}, "a list of different players"),
        ({"optimizer__lock": ["A"], "optimizer__ban": ["A"]}, "A is locked and banned"),
        ({"optimizer__lock": list("ABCDEFGHI")}, "9 players are locked"),
        ({"sampler__field_size": 1}, "sampler.field_size must be a whole number from 2"),
        ({"sim__worlds": 1}, "sim.worlds must be a whole number from 2"),
        ({"sim__corr_team": 1.5}, "sim.corr_team must be a number from -1 to 1"),
        ({"projections": "a.csv"}, "come together"),
        ({"slate": "../elsewhere"}, "'../elsewhere' cannot be a slate's name"),
        ({"slate": ""}, "'' cannot be a slate's name"),
        ({"contest": " "}, "contest is empty"),
    ],
)
def test_a_value_that_makes_no_sense_is_named(values: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)) as caught:
        validate(changed(**values))
    assert "workload." in str(caught.value)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"slate": "nowhere"}, "there is no slate 'nowhere'"),
        ({"contest": "DK_MME_2"}, "did you mean 'DK_MME_20'?"),
        ({"optimizer__lineups": 21}, "21 lineups are more than the 20 entries that DK_MME_20 takes"),
        ({"optimizer__lock": ["Nobody"]}, "no player of the slate synthetic-0 has the ID or name 'Nobody'"),
        ({"optimizer__ban": ["Nobody"]}, "workload.optimizer.ban"),
    ],
)
def test_what_needs_the_slate_or_the_contest_is_checked_before_the_run(values: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)):
        check(changed(**values))


def test_every_key_of_every_section_is_documented_with_its_default() -> None:
    page = (REPO / "docs" / "contest.md").read_text(encoding="utf-8")
    for field in dataclasses.fields(ContestConfig):
        section = getattr(ContestConfig(), field.name)
        if dataclasses.is_dataclass(section):
            for inner in dataclasses.fields(section):
                key = f"workload.{field.name}.{inner.name}"
                row = re.search(rf"^\| `{re.escape(key)}` \| `(.*?)` \|", page, re.MULTILINE)
                assert row, key
                assert yaml.safe_load(row[1]) == getattr(section, inner.name), key
