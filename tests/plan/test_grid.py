from __future__ import annotations

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st

from runyard.base import UsageError
from runyard.plan import Axis, Product, axes_of, table_rows

PARSER = OverridesParser.create()


def _axes(*line: str, **params: str) -> list[Axis]:
    return axes_of(
        PARSER.parse_overrides(list(line)), {k: PARSER.parse_override(f"{k}={v}") for k, v in params.items()}
    )


def _grid(axes: list[Axis]) -> list[list[str]]:
    product = Product([axis.dimension() for axis in axes])
    return [list(product[index]) for index in range(len(product))]


def _by_hydra(line: list[str]) -> list[list[str]]:
    (jobs,) = BasicSweeper.split_arguments(PARSER.parse_overrides(line), None)
    return jobs


LINES = [
    [],
    ["a=1"],
    ["a=1", "b=2"],
    ["a=1,2"],
    ["a=1,2", "b=3,4", "c=5"],
    ["c=5", "b=3,4", "a=1,2"],
    ["a=choice(1,2,3)"],
    ["a='choice(1,2)'"],
    ["a=range(5)"],
    ["a=range(1,10,3)"],
    ["a=range(10,0,-4)"],
    ["a=range(0.0,1.0,0.25)"],
    ["a=glob(*)"],
    ["a=sort(3,1,2)"],
    ["a=sort(range(4),reverse=true)"],
    ["a=shuffle(a)"],
    ["a=tag(t,1,2)"],
    ["a=int(1.0,2.0)"],
    ["a=str(1,2)"],
    ["a=bool(0,1)"],
    ["a=float(1,2)"],
    ["a=[1,2],[3]"],
    ["a={x:1},{x:2,y:[3]}"],
    ["a='x,y','z'"],
    ['a="x y",b'],
    [r"a=x\,y,z"],
    ["a=null,true,1e-3,inf,nan"],
    ["a=${b},${c.d}"],
    ["a=${oc.env:HOME,x}"],
    ["a="],
    ["a=,b"],
    ["+a=1,2"],
    ["++a=1,2", "~b"],
    ["~b=3"],
    ["db=mysql,postgresql"],
    ["db@backup=mysql,postgresql"],
    ["+db@x.y=mysql"],
    ["hydra.job.name=x"],
    ["a=1,2", "a=3"],
    ["a=1", "a=2,3"],
    ["a=1,2", "b=1", "a=3,4,5"],
    ["a=1,2", "+a=3,4"],
    ["a.b.c=1,2", "a.b=3"],
    ["a=1,1,1"],
    ["a=key=value"],
    ["a=one two"],
    ["a=path/to/file.txt,other"],
    ["a=0x10,010,1_000"],
    ["a=x:y,z:w"],
    ["x=$y,z"],
]


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_a_grid_is_what_hydras_own_sweeper_makes_of_the_same_line(line: list[str]) -> None:
    try:
        expected = _by_hydra(line)
    except Exception as error:
        with pytest.raises((type(error), UsageError)):
            _grid(_axes(*line))
        return
    axes = _axes(*line)
    assert _grid(axes) == expected


_KEYS = st.sampled_from(["a", "b", "c.d", "+e", "db", "db@pkg"])
_WORDS = st.sampled_from(["1", "0.5", "x", "'q r'", "[1,2]", "{k:v}", "null", "${a}", "true", '"x,y"'])
_ASSIGNED = st.builds(lambda key, words: f"{key}={','.join(words)}", _KEYS, st.lists(_WORDS, min_size=1, max_size=3))


@given(st.lists(_ASSIGNED, max_size=4))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_any_line_makes_the_grid_that_hydra_makes_of_it(line: list[str]) -> None:
    assert _grid(_axes(*line)) == _by_hydra(line)


@pytest.mark.parametrize(
    ("line", "params", "names"),
    [
        (["a=1,2", "b=3"], {}, ["a"]),
        (["a=1"], {}, []),
        (["a=choice(1)"], {}, ["a"]),
        ([], {"a": "1,2", "b": "3"}, ["a", "b"]),
        (["a=5"], {"a": "1,2"}, ["a"]),
        (["c=1,2"], {"a": "1"}, ["a", "c"]),
        (["a=1,2", "a=3"], {}, ["a"]),
        (["+a=1,2"], {}, ["+a"]),
    ],
)
def test_the_swept_keys_are_those_with_a_sweep_and_those_among_the_params(
    line: list[str], params: dict[str, str], names: list[str]
) -> None:
    assert [axis.name for axis in _axes(*line, **params) if axis.swept] == names


def test_the_params_come_first_and_the_command_line_wins() -> None:
    assert _grid(_axes("c=9", "a=3,4", a="1,2", b="7")) == [
        ["a=3", "b=7", "c=9"],
        ["a=4", "b=7", "c=9"],
    ]


def test_a_param_does_not_make_another_key_of_the_same_value_swept() -> None:
    assert [axis.name for axis in _axes("a=1", "b=1", a="1") if axis.swept] == ["a"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("a=interval(0,1)", (0, 1, False, False)),
        ("a=int(interval(1,8))", (1, 8, True, False)),
        ("a=tag(int,interval(1,8))", (1, 8, True, False)),
        ("a=tag(log,interval(1e-4,1))", (1e-4, 1, False, True)),
        ("a=tag(log,int(interval(1,100)))", (1, 100, True, True)),
    ],
)
def test_an_interval_is_read_with_its_kind(line: str, found: tuple[float, float, bool, bool]) -> None:
    (axis,) = _axes(line)
    assert axis.interval is not None
    assert (axis.interval.low, axis.interval.high, axis.interval.is_integer, axis.interval.is_log) == found


def test_no_overrides_make_one_job() -> None:
    assert _grid([]) == [[]]


def test_an_axis_without_values_is_refused() -> None:
    with pytest.raises(UsageError, match="the sweep over a has no values"):
        Axis(name="a", overrides=(), swept=True).dimension()


def test_a_large_grid_is_not_made_at_once() -> None:
    product = Product([axis.dimension() for axis in _axes(*(f"k{i}=range(100)" for i in range(8)))])
    assert len(product) == 100**8
    assert product[100**8 - 1] == tuple(f"k{i}=99" for i in range(8))


@pytest.mark.parametrize(
    ("rows", "jobs"),
    [
        ([{"a": "1"}, {"a": "2", "b": "3"}], [("a=1",), ("a=2", "b=3")]),
        ([{"a": "[1,2]"}, {"a": "'x,y'"}, {"+b.c": "{k:v}"}], [("a=[1,2]",), ("a='x,y'",), ("+b.c={k:v}",)]),
        ([{}], [()]),
        ([], []),
    ],
)
def test_a_table_gives_a_job_for_each_row(rows: list[dict[str, str]], jobs: list[tuple[str, ...]]) -> None:
    found = table_rows(rows, ["a", "b"], "t.csv", PARSER.parse_override)
    assert [found[i] for i in range(len(found))] == jobs


@pytest.mark.parametrize(
    ("rows", "what", "where"),
    [
        ([{"a": "1"}, {"a": "1,2"}], "'a=1,2' gives several values", "t.csv, row 2"),
        ([{"a": "range(3)"}], "'a=range(3)' gives several values", "t.csv, row 1"),
        ([{"a": "["}], "'a=[' is not an override", "t.csv, row 1"),
        ([{"a b": "1"}], "'a b=1' is not an override", "t.csv, row 1"),
        ([{"a": "x)"}], "'a=x)' is not an override", "t.csv, row 1"),
    ],
)
def test_a_table_that_makes_no_sense_says_which_row(rows: list[dict[str, str]], what: str, where: str) -> None:
    with pytest.raises(UsageError) as caught:
        table_rows(rows, ["a"], "t.csv", PARSER.parse_override)
    assert (caught.value.what, caught.value.where) == (what, where)
    assert caught.value.todo
