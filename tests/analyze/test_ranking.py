from __future__ import annotations

import pytest
from tests.analyze.cells import clean, table

from runyard.analyze.ranking import ranking
from runyard.statistics import difference, holm

NOISE = [0.03, -0.02, 0.01, -0.04, 0.02]


def jobs(*means, seeds=None):
    rows = [
        ("COMPLETED", name, seed, mean + noise * (1 + at / 10))
        for at, (name, mean) in enumerate(zip("abcdef", means, strict=False))
        for seed, noise in zip((seeds or {}).get(name, range(5)), NOISE, strict=True)
    ]
    return table(rows, ["model", "seed"], ["score"])


def ranked(table_, mode="max", most=10, level=0.95):
    columns = ranking(table_, clean(table_), metric="score", by=["model"], mode=mode, level=level, most=most)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


@pytest.mark.parametrize(("mode", "order"), [("max", "bca"), ("min", "acb")])
def test_groups_come_in_the_order_of_their_means(mode, order):
    rows = ranked(jobs(0.1, 0.9, 0.5), mode)

    assert "".join(row["model"] for row in rows) == order
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert [row["behind"] for row in rows][1:] == pytest.approx([0.4, 0.8], abs=0.01)


def test_verdicts_are_those_of_the_paired_test_after_holm():
    data = jobs(0.9, 0.899, 0.5)
    values = {name: dict(enumerate(data.columns["score"][at * 5 : at * 5 + 5])) for at, name in enumerate("abc")}

    first, second, third = ranked(data)

    tests = [difference(values["a"], values[name]) for name in "bc"]
    assert [second["p_value"], third["p_value"]] == pytest.approx(holm([test.p_value for test in tests]))
    assert [row["test"] for row in (first, second, third)] == [None, "paired t", "paired t"]
    assert [row["verdict"] for row in (first, second, third)] == ["best", "no difference shown", "worse"]


def test_groups_with_other_seeds_are_compared_unpaired():
    _, second = ranked(jobs(0.9, 0.5, seeds={"b": range(7, 12)}))

    assert (second["test"], second["verdict"]) == ("Welch t", "worse")


def test_a_group_without_a_value_is_left_out_and_one_with_one_value_is_not_judged():
    rows = [("COMPLETED", "a", 1, 0.5), ("COMPLETED", "b", 1, 0.4), ("FAILED", "c", 1, None)]

    first, second = ranked(table(rows, ["model", "seed"], ["score"]))

    assert (first["verdict"], second["verdict"], second["p_value"]) == ("best", "unknown", None)


def test_groups_that_are_equal_seed_by_seed_are_equal():
    rows = [("COMPLETED", model, seed, seed / 10) for model in "ab" for seed in range(3)]

    assert [row["verdict"] for row in ranked(table(rows, ["model", "seed"], ["score"]))] == ["best", "equal"]


def test_only_as_many_as_are_asked_for_are_listed_and_corrected_for():
    data = jobs(0.9, 0.7, 0.5)

    assert len(ranked(data, most=2)) == 2
    assert ranked(data, most=2)[1]["p_value"] < ranked(data)[1]["p_value"] * 1.0001
