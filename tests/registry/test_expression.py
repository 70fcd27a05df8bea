from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runyard.base import State, UsageError
from runyard.record import RunRecord
from runyard.registry import Registry, find_runs
from runyard.registry.asking import asking
from runyard.registry.expression import Expression, Name, holds, name_of
from runyard.registry.sql import filter_of

from .conftest import MakeSweep, a_run


def truth(text: str, **values: Any) -> bool | None:
    """Of an expression for a run with these metrics; ``p_`` before a name makes it a parameter, ``f_`` a field."""
    expression = Expression(text)
    have = {}
    for name, value in values.items():
        kind = {"p_": "params", "f_": "field"}.get(name[:2], "metrics")
        have[Name(kind, name[2:] if kind != "metrics" else name)] = value
    return holds(expression.tree, {slot: have.get(name) for slot, name in expression.names.items()})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.a > 1", True),
        ("metrics.a > 2", False),
        ("1 < metrics.a <= 2", True),
        ("metrics.a > 1 and params.d == 20", True),
        ("metrics.a > 5 or params.model == 'big'", True),
        ("not metrics.a > 5", True),
        ("params.model in ('big', 'small')", True),
        ("params.model not in ['tiny']", True),
        ("'ig' in params.model", True),
        ("params.d in {10, 20}", True),
        ("params.flag == true", True),
        ("metrics.a * 2 == 4 and metrics.a / 4 == 0.5 and metrics.a % 2 == 0 and metrics.a // 3 == 0", True),
        ("-metrics.a < 0", True),
        ("abs(0 - metrics.a) == 2 and min(metrics.a, 7) == 2 and max(1, metrics.a) == 2", True),
        ("len(params.model) == 3", True),
        ("(metrics.a if params.flag else 0) == 2", True),
        ("params.list == [1, 2] and 2 in params.list", True),
        ("params.optim.lr == 0.1", None),
    ],
)
def test_conditions_mean_what_they_say(text: str, expected: bool | None) -> None:
    assert truth(text, a=2, p_d=20, p_model="big", p_flag=True, p_list=[1, 2]) is expected


@pytest.mark.parametrize(
    "text",
    [
        "metrics.none > 1",
        "metrics.none == 0",
        "metrics.none != 0",
        "not metrics.none > 1",
        "metrics.none in (0, 1)",
        "metrics.none + 1 > 0",
        "abs(metrics.none) >= 0",
        "metrics.none == params.none",
        "metrics.none > 1 and metrics.a > 0",
        "metrics.none > 1 or metrics.a < 0",
        "metrics.a > 'x'",
        "metrics.a < params.model",
        "metrics.a / 0 > 1",
        "metrics.nan > 1",
        "metrics.nan <= 1",
        "metrics.nan != 1",
        "params.model + 'x' == 'bigx'",
    ],
)
def test_what_is_missing_or_cannot_be_compared_is_neither_true_nor_false(text: str) -> None:
    assert truth(text, a=2, p_model="big", nan=math.nan) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.none is null", True),
        ("metrics.none == None", True),
        ("metrics.a is not null", True),
        ("metrics.nan is null", False),
        ("isnan(metrics.nan)", True),
        ("isnan(metrics.a)", False),
        ("metrics.none > 1 or metrics.a > 0", True),
        ("metrics.none > 1 and metrics.a < 0", False),
        ("metrics.inf > 1e300", True),
    ],
)
def test_what_is_missing_can_be_asked_for(text: str, expected: bool) -> None:
    assert truth(text, a=2, nan=math.nan, inf=math.inf) is expected


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "metrics.a.__class__()",
        "(lambda: 1)()",
        "[x for x in (1,)]",
        "metrics.a ** 999999999",
        "1 << 99999999999",
        "f'{metrics.a}'",
        "metrics.a := 1",
        "open('x')",
        "len(*params.x)",
        "metrics[0:1] == 1",
        "state['x'] == 1",
        "metrics > 1",
        "metrics.a >",
        "metrics.a > 'x",
        "(" * 500,
        "not " * 6000 + "1",
        "1 +" * 9000 + "1",
        "\0",
    ],
)
def test_anything_else_is_refused_with_the_words_for_wrong_conditions(text: str) -> None:
    with pytest.raises(UsageError, match="is not an expression") as caught:
        Expression(text)
    assert "such as: metrics.acc > 0.9" in caught.value.todo


def test_names_may_have_dots_slashes_signs_and_in_brackets_anything() -> None:
    text = "metrics.eval/acc > 1 and params.optim.lr == 1 and metrics['val-loss'] < metrics.a/metrics.b + metrics.acc@5"
    assert {str(name) for name in Expression(text).names.values()} == {
        "metrics.eval/acc",
        "params.optim.lr",
        "metrics.val-loss",
        "metrics.a",
        "metrics.b",
        "metrics.acc@5",
    }


def test_texts_are_left_as_they_are() -> None:
    assert truth("params.model == 'a metrics.x and \\'b\\' \"c\"'", p_model="a metrics.x and 'b' \"c\"") is True
    assert truth('params.model == "1e-3 or state"', p_model="1e-3 or state") is True


def test_states_may_be_written_small_and_must_be_states() -> None:
    assert truth("state == 'completed' and state not in ('failed', 'TIMEOUT')", f_state="COMPLETED") is True
    assert truth("'failed' != state", f_state="COMPLETED") is True
    with pytest.raises(UsageError, match="unknown state 'COMPLETE'") as caught:
        Expression("state == 'complete'")
    assert "did you mean 'COMPLETED'" in caught.value.todo


RUNS: list[tuple[State, dict[str, Any], dict[str, Any]]] = [
    (State.COMPLETED, {"d": 10, "model": "big", "optim.lr": 0.1}, {"a": 1.5, "b": -1, "eval/acc": 0.5}),
    (State.COMPLETED, {"d": 20, "model": "small", "+extra": 5}, {"a": math.nan, "b": 3}),
    (State.FAILED, {"d": "20", "model": None, "extra": "x"}, {}),
    (State.COMPLETED, {"d": True, "model": ["big", 1]}, {"a": math.inf, "b": 0}),
    (State.COMPLETED, {"d": 2**70, "model": "[1]"}, {"a": -math.inf, "b": 2**60}),
    (State.PENDING, {"d": 0.1}, {"a": 2}),
]


def records(sweep_dir: Path) -> list[RunRecord]:
    from dataclasses import replace

    made = []
    for job, (state, params, metrics) in enumerate(RUNS):
        run = a_run(sweep_dir, sweep_dir.name, job, state)
        made.append(replace(run, params=params, metrics=metrics, attempts=run.attempts if job else ()))
    return made


@pytest.fixture
def mixed(root: Path, make_sweep: MakeSweep) -> Path:
    """A root with runs whose values are of all kinds."""
    from runyard.record import write_run

    sweep_dir = make_sweep("mixed", states=())
    for run in records(sweep_dir):
        Path(run.run_dir).mkdir()
        write_run(run)
    Registry(root).reindex()
    return root


def in_sql_and_in_python(root: Path, text: str) -> tuple[list[int], list[int], bool]:
    """The jobs that fit by SQL as far as it goes, those that fit by Python alone, and whether SQL said all of it."""
    expression = Expression(text)
    with asking([root]) as [place]:
        chosen = filter_of(expression, place.keys)
        sql = [hit.job for hit in place.hits(expression, None)]
        rows = place.rows(None)
        kept, _ = place._kept(expression, type(chosen)("1", (), (expression.tree,)), rows)
        return sql, [rows[n][1] for n in kept], not chosen.rest


OPERANDS = [
    *("metrics.a", "metrics.b", "metrics['eval/acc']", "params.d", "params.model", "params.extra", "params.optim.lr"),
    *("job", "state", "seconds", "host", "experiment", "tags", "created_at"),
]
LITERALS = ["0", "1", "20", "-1", "0.1", "1.5", "'20'", "'big'", "'[1]'", "true", "null", "1e400", str(2**70), "''"]
STATE_LITERALS = ["'FAILED'", "'COMPLETED'"]


@st.composite
def conditions(draw: st.DrawFn, depth: int = 0) -> str:
    kind = draw(st.integers(0, 7 if depth < 2 else 3))
    left = draw(st.sampled_from(OPERANDS))
    literals = STATE_LITERALS if left == "state" else LITERALS
    if kind <= 1:
        op = draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
        right = draw(st.sampled_from([*literals, *([] if left == "state" else ["metrics.b", "params.d"])]))
        return f"{left} {op} {right}"
    if kind == 2:
        some = draw(st.lists(st.sampled_from(literals), min_size=0, max_size=3))
        return f"{left} {draw(st.sampled_from(['in', 'not in']))} [{', '.join(some)}]"
    if kind == 3:
        text = draw(st.sampled_from(["'big'", "'i'", "'first'", "'node'", "1"]))
        return f"{text} {draw(st.sampled_from(['in', 'not in']))} {left}"
    if kind == 4:
        return f"not ({draw(conditions(depth + 1))})"
    if kind == 5:
        return f"{draw(st.sampled_from(LITERALS[:6]))} <= {left} < 20" if left != "state" else "job < 3"
    return f"({draw(conditions(depth + 1))}) {draw(st.sampled_from(['and', 'or']))} ({draw(conditions(depth + 1))})"


@example(text="not (params.model < '20')")
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=conditions())
def test_sql_and_python_find_the_same_runs(mixed: Path, text: str) -> None:
    sql, python, _ = in_sql_and_in_python(mixed, text)
    assert sql == python


@pytest.mark.parametrize(
    ("text", "jobs"),
    [
        ("metrics.a > 1", [0, 3, 5]),
        ("metrics.a < 0", [4]),
        ("not metrics.a > 1", [4]),
        ("metrics.a is null", [2]),
        ("metrics.b == 3", [1]),
        ("params.d == 20", [1]),
        ("params.d > 5", [0, 1, 4]),
        ("params.model == 'big'", [0]),
        ("params.extra == 5", [1]),
        ("params.optim.lr == 0.1", [0]),
        ("state in ('failed', 'pending')", [2, 5]),
        ("'first' in tags and job >= 4", [4, 5]),
        ("'node' in host", [1, 2, 3, 4, 5]),
        ("experiment == 'mnist' and job == 0", [0]),
        ("host is null", [0]),
    ],
)
def test_usual_conditions_are_answered_by_sql_alone(mixed: Path, text: str, jobs: list[int]) -> None:
    sql, python, is_all = in_sql_and_in_python(mixed, text)
    assert (sql, python, is_all) == (jobs, jobs, True)


def test_a_condition_that_sql_cannot_say_still_finds_its_runs(mixed: Path) -> None:
    for text, jobs in {
        "metrics.a * 2 == 3": [0],
        "'big' in params.model": [0, 3],
        "isnan(metrics.a)": [1],
        "metrics.b > 0 and len(params.model) == 5": [1],
        " or ".join(f"job == {n + 2}" for n in range(400)): [2, 3, 4, 5],
    }.items():
        assert [row["job"] for row in find_runs([mixed], text).rows] == jobs


def test_values_in_a_condition_cannot_become_sql(mixed: Path) -> None:
    for text in ('params.model == "\' OR 1=1 --"', "metrics['\"); DROP TABLE runs; --'] > 1"):
        try:
            assert find_runs([mixed], text).total == 0
        except UsageError as error:
            assert "unknown name" in str(error)
    assert find_runs([mixed]).total == 6


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("a > 1", "metrics.a"),
        ("params.lr > 1", "params.optim.lr"),
        ("params.optim.lrr > 1", "params.optim.lr"),
        ("metrics.acc > 1", "metrics.eval/acc"),
        ("git.sha == 'x'", "git_sha"),
        ("metrics.model == 'big'", None),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(mixed: Path, text: str, near: str | None) -> None:
    with pytest.raises(UsageError, match="unknown name") as caught:
        find_runs([mixed], text)
    assert (f"did you mean {near!r}?" in caught.value.todo) is (near is not None)
    assert "metrics.a, metrics.b" in caught.value.todo


def test_a_text_without_quotes_is_told_of(mixed: Path) -> None:
    with pytest.raises(UsageError, match="a text stands in quotes: 'completed'"):
        find_runs([mixed], "state == completed")


def test_names_are_told_apart_by_their_beginning() -> None:
    assert [name_of(text) for text in ("metrics.a.b", "params.x", "state", "metrics")] == [
        Name("metrics", "a.b"),
        Name("params", "x"),
        Name("field", "state"),
        Name("field", "metrics"),
    ]
