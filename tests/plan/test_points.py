from __future__ import annotations

from itertools import islice

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st

from runyard.base import UsageError
from runyard.plan import (
    Chain,
    Condition,
    Dimension,
    Interval,
    Listed,
    Permutation,
    Points,
    Product,
    sample,
    seeds_dimension,
    zipped,
)

PARSER = OverridesParser.create()


def _values(point: tuple[str, ...]) -> dict[str, object]:
    return {o.get_key_element(): o.value() for o in PARSER.parse_overrides(list(point))}


def _axis(name: str, *values: object) -> Dimension:
    return Listed((name,), [(f"{name}={value}",) for value in values])


def _points(*dimensions: Dimension, **more: object) -> Points:
    names = tuple(name for dimension in dimensions for name in dimension.names)
    return Points(dimensions=dimensions, values_of=_values, names=names, **more)  # type: ignore[arg-type]


def _conditions(*texts: str) -> list[Condition]:
    return [Condition(text, ["a", "b", "m.lr", "+db/kind"], "here") for text in texts]


def test_the_last_dimension_changes_fastest() -> None:
    assert list(_points(_axis("a", 1, 2), _axis("b", 3, 4))) == [
        ("a=1", "b=3"),
        ("a=1", "b=4"),
        ("a=2", "b=3"),
        ("a=2", "b=4"),
    ]


def test_what_is_zipped_goes_in_step() -> None:
    pair = zipped("pair", {"a": ["a=1", "a=2"], "b": ["b=3", "b=4"]})
    assert list(_points(pair)) == [("a=1", "b=3"), ("a=2", "b=4")]


def test_unequal_lengths_are_told_by_name() -> None:
    with pytest.raises(UsageError, match="a has 2, b has 1") as caught:
        zipped("pair", {"a": ["a=1", "a=2"], "b": ["b=3"]})
    assert caught.value.where == "hydra.sweeper.zip.pair"


def test_grids_of_a_union_come_one_after_another() -> None:
    grids = Chain([Product([_axis("a", 1, 2), _axis("b", 5)]), _axis("a", 7)])
    assert list(_points(grids)) == [("a=1", "b=5"), ("a=2", "b=5"), ("a=7",)]


@pytest.mark.parametrize(("given", "seeds"), [(3, [0, 1, 2]), ([5, 9], [5, 9])])
def test_seeds_are_the_innermost(given: object, seeds: list[int]) -> None:
    points = list(_points(_axis("a", 1, 2), seeds_dimension(given, "seed")))  # type: ignore[arg-type]
    assert points == [(f"a={a}", f"seed={s}") for a in (1, 2) for s in seeds]


@pytest.mark.parametrize("given", [0, -1, "5", [], [1, "x"], [1, 1], 1.5, True, None])
def test_seeds_that_are_none_are_refused(given: object) -> None:
    with pytest.raises(UsageError):
        seeds_dimension(given, "seed")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "values", "holds"),
    [
        ("a > 1", {"a": 2}, True),
        ("a > 1", {"a": 1}, False),
        ("a == 'x' and b in [1, 2]", {"a": "x", "b": 2}, True),
        ("m.lr * 10 >= 1", {"m.lr": 0.1}, True),
        ("lr < 1", {"m.lr": 0.1}, True),
        ("kind == 'big'", {"+db/kind": "big"}, True),
        ("db/kind != 'big'", {"+db/kind": "big"}, False),
        ("not (a == true)", {"a": True}, False),
        ("a == null", {}, True),
        ("min(a, b) == 1 or len('abc') == 4", {"a": 1, "b": 2}, True),
        ("a == 'm.lr'", {"a": "m.lr"}, True),
        ("1e-1 < a if b else a > 5", {"a": 0.5, "b": True}, True),
        ("0.5 <= a < 1.5", {"a": 1}, True),
    ],
)
def test_a_condition_is_computed_from_the_values_of_a_job(text: str, values: dict[str, object], holds: bool) -> None:
    (condition,) = _conditions(text)
    assert condition.holds(values) is holds


@pytest.mark.parametrize(
    "text",
    ["c > 1", "a >", "a.real > 1", "__import__('os')", "a.b", "(lambda: 1)()", "[x for x in a]", "a; b", "a = 1", ""],
)
def test_what_is_no_condition_is_refused_before_any_job(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        _conditions(text)
    assert "here" in (caught.value.where or "")


def test_a_name_that_is_not_swept_is_told_with_the_closest() -> None:
    with pytest.raises(UsageError, match=r"unknown name 'm\.lt'") as caught:
        _conditions("m.lt > 1")
    assert "m.lr" in str(caught.value)


def test_values_that_cannot_be_compared_are_told() -> None:
    (condition,) = _conditions("a > 'x'")
    with pytest.raises(UsageError, match="a=1"):
        condition.holds({"a": 1})


@given(st.integers(-3, 3), st.integers(0, 4))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_what_is_included_and_what_is_excluded_make_all(least: int, most: int) -> None:
    dimensions = (_axis("a", *range(-3, 4)), _axis("b", *range(5)))
    conditions = _conditions(f"a > {least} and b < {most}")
    everything = set(_points(*dimensions))
    kept = set(_points(*dimensions, include=conditions))
    others = set(_points(*dimensions, exclude=conditions))
    assert kept | others == everything
    assert not kept & others


def test_what_is_left_out_is_counted() -> None:
    points = _points(_axis("a", 1, 1, 2, 3, 4), exclude=_conditions("a == 4"), max_jobs=2)
    assert list(points) == [("a=1",), ("a=2",)]
    assert (points.left.excluded, points.left.duplicates, points.left.cut) == (1, 1, 1)


@given(st.integers(1, 400), st.integers(0, 5))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_shuffled_order_has_every_job_once(size: int, seed: int) -> None:
    order = Permutation(size, seed)
    assert sorted(order[i] for i in range(size)) == list(range(size))


def test_an_order_depends_on_its_seed_alone() -> None:
    def order(seed: int | None) -> list[tuple[str, ...]]:
        return list(_points(_axis("a", *range(50)), shuffle=seed))

    assert order(1) == order(1) != order(2) != order(None)


def test_the_slowest_dimensions_come_first_and_the_order_of_overrides_stays() -> None:
    assert list(_points(_axis("a", 1, 2), _axis("b", 3, 4), slowest=[1])) == [
        ("a=1", "b=3"),
        ("a=2", "b=3"),
        ("a=1", "b=4"),
        ("a=2", "b=4"),
    ]


def test_a_sweep_too_large_to_hold_begins_at_once() -> None:
    points = _points(*(_axis(f"k{i}", *range(100)) for i in range(8)), shuffle=3)
    assert points.size == 100**8
    assert len(list(islice(points, 5))) == 5


@pytest.mark.parametrize("sampler", ["random", "sobol", "lhs"])
def test_samples_lie_in_their_intervals_and_depend_on_the_seed(sampler: str) -> None:
    intervals = [
        Interval(name="lr", low=1e-4, high=1.0, is_log=True),
        Interval(name="n", low=1, high=4, is_integer=True),
        Interval(name="x", low=-2, high=3),
    ]
    drawn = sample(intervals, 64, sampler, seed=1)
    values = [_values(drawn[i]) for i in range(len(drawn))]
    assert {v["n"] for v in values} == {1, 2, 3, 4}
    assert all(1e-4 <= v["lr"] <= 1 and -2 <= v["x"] <= 3 for v in values)  # type: ignore[operator]
    below = sum(v["lr"] < 1e-2 for v in values)  # type: ignore[operator]
    assert 16 <= below <= 48  # half of the logarithm
    again, other = sample(intervals, 64, sampler, seed=1), sample(intervals, 64, sampler, seed=2)
    assert [again[i] for i in range(64)] == [drawn[i] for i in range(64)] != [other[i] for i in range(64)]


def test_a_latin_hypercube_has_one_sample_in_each_part() -> None:
    drawn = sample([Interval(name="x", low=0, high=10)], 10, "lhs", seed=0)
    assert sorted(int(_values(drawn[i])["x"]) for i in range(10)) == list(range(10))  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("low", "high", "log"), [(1, 1, False), (2, 1, False), (0, 1, True), (float("-inf"), 1, False)]
)
def test_an_interval_that_is_none_is_refused(low: float, high: float, log: bool) -> None:
    with pytest.raises(UsageError):
        Interval(name="x", low=low, high=high, is_log=log)


def test_an_unknown_sampler_is_told_with_the_closest() -> None:
    with pytest.raises(UsageError, match="unknown sampler 'sobel'"):
        sample([Interval(name="x", low=0, high=1)], 4, "sobel", seed=0)
