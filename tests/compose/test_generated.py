"""What Runyard composes is what Hydra composes: over generated config trees, sweeps and jobs.

A failing test prints its smallest case, as it can be pasted into ``FOUND``.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from .against import Case, Tally, compare
from .generated import VARIABLES, cases, structured_cases
from .typed import store_typed

JOBS = 14
EXAMPLES = 16
TREES, STRUCTURED = 8, 2
#: jobs that each test compares at least: cases that are no sweeps do not count, and are few.
LEAST = 200
assert (TREES + STRUCTURED) * LEAST >= 2_000


@pytest.fixture(scope="module", autouse=True)
def _prepared(_own_hydra: None) -> None:
    store_typed()


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)


def _compare_many(strategy: Callable[[int], st.SearchStrategy[Case]], number: int) -> Tally:
    """Compares the cases of a seed, the same ones in every process and on every machine."""
    tally = Tally()

    @seed(number)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # a failing case is made smaller by ``compare``
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy(JOBS))
    def compare_one(case: Case) -> None:
        tally.add(compare(case))

    compare_one()
    print(tally)
    return tally


@pytest.mark.parametrize("number", range(TREES))
def test_jobs_over_generated_config_trees_are_as_hydra_composes_them(number: int) -> None:
    tally = _compare_many(cases, number)
    assert tally.jobs >= LEAST
    assert tally.jobs == tally.errors + tally.thawed
    good = tally.jobs - tally.errors
    assert good > tally.jobs * 0.4, "hardly any job composes"
    assert tally.errors > tally.jobs * 0.05, "hardly any error is tried"
    assert tally.quick > good * 0.3, "what Hydra composes is compared with itself"
    assert tally.pieced > good * 0.2, "hardly any text is put together from pieces"


@pytest.mark.parametrize("number", range(STRUCTURED))
def test_jobs_over_a_structured_config_are_as_hydra_composes_them(number: int) -> None:
    tally = _compare_many(structured_cases, number)
    assert tally.jobs >= LEAST
    good = tally.jobs - tally.errors
    assert good > tally.jobs * 0.3
    assert tally.quick > good * 0.4


def _config(text: str, **others: str) -> dict[str, str]:
    return {"config": text, **{name.replace("__", "/"): other for name, other in others.items()}}


#: cases in which something differed once, by what it was.
FOUND = {
    "new entries of one mapping stand in the order in which they were made": Case(
        files=_config("a: 1\n"), jobs=((), ("+n.x=1", "+m=2", "+n.y=3"), ("+n=1", "+m=2", "~n", "+n=3"))
    ),
    "where two mappings end, the inner one's new entry comes first": Case(
        files=_config("a: 1\nlast: {x: 1}\n"), jobs=((), ("+new=1", "+last.y=2"))
    ),
    "a mapping that loses all its entries is written as an empty one": Case(
        files=_config("a: 1\nm: {x: 1, y: 2}\n"), jobs=((), ("~m.x", "~m.y"), ("~a", "~m"))
    ),
    "an addition fails by what an interpolation leads to": Case(
        files=_config("x: ${y}\ny: null\n"), jobs=((), ("+x=3",), ("y=1", "+x=3"), ("+x=3", "y=1"))
    ),
    "an addition fails by an interpolation that was just set": Case(
        files=_config("x: 1\ny: null\n"), jobs=((), ("x=${y}", "++y=1", "+x=3"), ("x=${y}", "+x=3"))
    ),
    "a deletion fails by what an interpolation leads to": Case(
        files=_config("x: ${y}\ny: 1\nm: {z: '${y}'}\n"),
        jobs=((), ("~x=1",), ("y=2", "~x=1"), ("y=2", "~x=2"), ("y=3", "~m={z:3}"), ("~m",), ("y=null", "~x")),
    ),
    "a missing value counts in the run key": Case(
        files=_config("lr: 1\nuses: ${lr}\nother: 2\n"), jobs=((), ("lr=???",), ("lr=3",))
    ),
    "what a deletion resolves does not stay": Case(
        files=_config("stamp: ${now:%Y}\nk: ${kept:1}\n"), jobs=((), ("~stamp",), ("~stamp", "~k"))
    ),
    "an interpolation may be written with escapes": Case(
        files=_config("x: 1\ny: 2\nz: ${x}\n"), jobs=((), ("x=$\\{y\\}", "y=3"))
    ),
    "the folder's name is made with values of the task": Case(
        files=_config("sep: '-'\nhydra: {job: {config: {override_dirname: {kv_sep: '${sep}'}}}}\n"),
        jobs=((), ("sep=_",), ("+x=1", "sep=+")),
    ),
    "the environment is copied as a value of the task says": Case(
        files=_config("vars: [COMPOSE_TEST_NAME]\nhydra: {job: {env_copy: '${vars}'}}\n"),
        jobs=((), ("vars=[COMPOSE_TEST_NUMBER]",), ("vars=[]",)),
    ),
    "choices that are nothing without a value": Case(
        files=_config("a: 1\n"),
        jobs=(("+vars=[COMPOSE_TEST_NAME]", "hydra.job.env_copy=${vars}"), ("hydra.job.env_copy=${vars}",)),
    ),
    "a job's variables are those of the task": Case(
        files=_config(
            "vars: {A: b, COMPOSE_TEST_NAME: c}\nhydra: {job: {env_copy: [COMPOSE_TEST_NAME], env_set: '${vars}'}}\n"
        ),
        jobs=((), ("vars.COMPOSE_TEST_NAME=x",), ("vars.A=c",)),
    ),
    "one path in two places is written with an anchor": Case(
        files=_config("defaults: [typed@one: full, typed@two: full, _self_]\n"),
        jobs=((), ("one.seed=2",), ("+typed@three=full",), ("+typed@three=full", "one.seed=2"), ("one.folder=x",)),
    ),
    "a value reaches hydra's own node through an interpolation": Case(
        files=_config("job: ${hydra.job}\n"), jobs=((), ("job.name=x",), ("job=1", "hydra.job.name=y"))
    ),
    "an interpolation that is made and gone through": Case(
        files=_config("x: {a: 1}\ny: {a: 2}\n"), jobs=((), ("x=${y}", "x.a=5"), ("x=${hydra.job}", "x.name=z"))
    ),
    "what lies under a key that is no text depends on others as well": Case(
        files=_config(
            "defaults: [typed: full, _self_]\nlr: 1\n1.5: {x: '${lr}'}\nuses: '${typed.by_number.1}'\n"
            "typed: {by_number: {1: '${lr}'}}\n"
        ),
        jobs=((), ("lr=2",), ("lr=3", "typed.by_number.1=x")),
    ),
    "a text that YAML does not read again": Case(files=_config('x: "\\ud800"\ny: 1\n'), jobs=((), ("y=2",))),
    "lone breaks of other kinds": Case(
        files=_config('x: "a\\u2028b\\x85c"\ny: 1\n'), jobs=((), ("y=2",), ("y='a\u2028b'",), ("x=1", "y='\x85'"))
    ),
}


@pytest.mark.parametrize("what", FOUND)
def test_what_differed_once_is_as_hydra_has_it(what: str) -> None:
    tally = compare(FOUND[what])
    assert tally.jobs == len(FOUND[what].jobs)


def test_a_difference_is_told_with_the_case_to_paste() -> None:
    case = Case(files=_config("a: 1\n"), jobs=((), ("a=2",), ("a=${no_such_case:}",)))
    with pytest.raises(AssertionError, match="Reproduce") as caught:
        compare(case, _compare_but_for_twos)
    assert repr(Case(files=case.files, jobs=(("a=2",),))) in str(caught.value)


def _compare_but_for_twos(case: Case) -> Tally:
    if ("a=2",) in case.jobs:
        raise AssertionError("a two")
    return Tally()
