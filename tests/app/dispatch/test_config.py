from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from app.workloads.dispatch import DispatchConfig, validate
from app.workloads.dispatch.config import jobs_path
from runyard import UsageError


def test_the_defaults_are_valid() -> None:
    validate(DispatchConfig())


def test_it_is_a_structured_config_and_whole_seconds_are_taken_for_d() -> None:
    cfg = OmegaConf.merge(OmegaConf.structured(DispatchConfig), {"d": 30, "jobs_csv": "x.csv"})
    assert cfg.d == 30.0
    assert isinstance(cfg.d, float)
    validate(cfg)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "name", "closest"),
    [("shadow", "hdd", "hd"), ("dispatch", "gredy", "greedy"), ("tie_breaker", "distence", "distance")],
)
def test_an_unknown_name_is_answered_with_the_known_ones_and_the_closest(key: str, name: str, closest: str) -> None:
    with pytest.raises(UsageError) as caught:
        validate(replace(DispatchConfig(), **{key: name}))
    assert f"unknown {key} '{name}'" in caught.value.what
    assert caught.value.where == key
    assert f"did you mean '{closest}'? Known: " in caught.value.todo


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *[("d", -1.0), ("d", float("nan")), ("d", float("inf")), ("day", -1), ("seed", -5)],
        *[("gamma", float("nan")), ("tau", float("-inf"))],
    ],
)
def test_a_number_out_of_range_is_named_with_its_key(key: str, value: float) -> None:
    with pytest.raises(UsageError, match=key):
        validate(replace(DispatchConfig(), **{key: value}))


@pytest.mark.parametrize("template", ["data/jobs.csv", "data/{dya}.csv", "data/{day.csv", "data/{}.csv"])
def test_a_template_that_does_not_tell_the_days_apart_is_refused(template: str) -> None:
    with pytest.raises(UsageError, match="template"):
        validate(replace(DispatchConfig(), jobs_template=template))


def test_the_template_gives_the_file_of_the_day() -> None:
    assert jobs_path(DispatchConfig(day=3)) == Path("data/meituan_city_lunchtime_plat10301330_day3.csv")
    assert jobs_path(DispatchConfig(day=3, jobs_template="d{day:02d}.csv")) == Path("d03.csv")


def test_a_named_file_goes_before_the_template() -> None:
    cfg = DispatchConfig(day=3, jobs_csv="mine.csv", jobs_template="unused")
    validate(cfg)
    assert jobs_path(cfg) == Path("mine.csv")
