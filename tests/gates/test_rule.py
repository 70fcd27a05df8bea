from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runyard.base import UsageError
from runyard.gates import Rule, parse_rule, parse_rules, read_rules


@pytest.mark.parametrize(
    ("text", "metric", "op", "threshold"),
    [
        ("loss < 0.1", "loss", "<", 0.1),
        ("eval_arena/score>=2", "eval_arena/score", ">=", 2.0),
        ("  test.acc != -1e-3 ", "test.acc", "!=", -0.001),
    ],
)
def test_a_line_is_a_threshold(text: str, metric: str, op: str, threshold: float) -> None:
    assert parse_rule(text) == Rule(metric=metric, op=op, threshold=threshold)


def test_a_mapping_may_be_any_of_three_kinds() -> None:
    rules = parse_rules(
        [
            {"metric": "loss", "op": "<", "threshold": 0.1, "certain": "ci90"},
            {"metric": "loss", "min_delta": 0.01, "mode": "min"},
            {"metric": "acc", "ratio": 0.99, "mode": "max", "name": "no worse"},
        ]
    )
    assert [rule.text for rule in rules] == [
        "loss < 0.1, 90 % certain",
        "loss at least 0.01 below the baseline",
        "no worse",
    ]
    assert [rule.needs_baseline for rule in rules] == [False, True, True]
    assert parse_rules([rule.to_json() for rule in rules]) == rules


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("loss", "'loss' is not a rule"),
        ("loss < much", "'much' is not a finite number"),
        ("loss < nan", "'nan' is not a finite number"),
        (3, "3 is not a rule"),
        ({"op": "<", "threshold": 1}, "names no metric"),
        ({"metric": "loss"}, "loss has none"),
        ({"metric": "loss", "op": "<", "threshold": 1, "ratio": 2}, "threshold and ratio"),
        ({"metric": "loss", "op": "=<", "threshold": 1}, "unknown relation '=<'"),
        ({"metric": "loss", "ratio": 2}, "which way is loss better?"),
        ({"metric": "loss", "op": "<", "threshold": True}, "True is not a finite number"),
        ({"metric": "loss", "op": "==", "threshold": 1, "certain": "ci95"}, "== cannot be certain"),
        ({"metric": "loss", "op": "<", "threshold": 1, "certain": "very"}, "'very' is no confidence"),
        ({"metric": "loss", "op": "<", "treshold": 1}, "treshold"),
    ],
)
def test_what_is_no_rule_is_refused_in_words(value: Any, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_rule(value)
    assert words in str(caught.value)
    assert caught.value.todo


def test_rules_are_read_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "gates.yaml"
    path.write_text("gates:\n- loss < 0.1\n- {metric: acc, min_delta: 0.01, mode: max, certain: ci95}\n")
    assert [rule.metric for rule in read_rules(path)] == ["loss", "acc"]
    path.write_text("- loss < 0.1\n")
    assert len(read_rules(path)) == 1


@pytest.mark.parametrize("text", ["", "gates: 3", "gates: []", "gates: [", "{}"])
def test_a_file_without_rules_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gates.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_rules(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_rules(tmp_path / "none.yaml")
