from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.analyze.factory import Outcome, grid, write_a_sweep

from runyard.base import State, UsageError
from runyard.compare import Comparison, Side, Verdict, compare, draw_comparison, side_of

NOISE = (0.03, -0.02, 0.011, -0.017, 0.005)
Task = Callable[[Mapping[str, Any]], Outcome]


def task(less: float = 0.0, wobble: float = 0.001) -> Task:
    """A loss that hangs on lr and on the seed, with a seeded wobble of its own for each task."""
    return lambda p: {"loss": p["lr"] + NOISE[p["seed"]] - less + wobble * NOISE[(3 * p["seed"] + 1) % 5], "acc": 0.5}


def side(
    folder: Path, name: str, how: Task, lr: tuple[float, ...] = (0.1, 0.2), seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
) -> Side:
    return side_of(name, write_a_sweep(folder / "e" / name, list(grid(lr=lr, seed=seeds)), how))


def verdicts(found: Comparison, metric: str = "loss") -> dict[Any, str]:
    return {dict(c.setting).get("lr"): str(c.verdict) for c in found.contrasts if c.metric == metric}


def test_seeds_pair_and_show_what_their_spread_would_hide(tmp_path: Path) -> None:
    found = compare([side(tmp_path, "a", task()), side(tmp_path, "b", task(0.002, 0.01))], lower=["loss"])
    overall = found.contrasts[0]
    assert (overall.setting, overall.difference.paired, overall.difference.n_baseline) == ((), True, 10)
    assert overall.difference.estimate == pytest.approx(-0.002, abs=1e-3)
    assert verdicts(found) == {None: "better", 0.1: "better", 0.2: "better"}
    assert verdicts(found, "acc") == {None: "equal", 0.1: "equal", 0.2: "equal"}


def test_other_seeds_do_not_pair_and_the_same_difference_is_not_shown(tmp_path: Path) -> None:
    one = side(tmp_path, "a", task(), seeds=(0, 1, 2))
    two = side(tmp_path, "b", task(0.002), seeds=(1, 2, 3))
    found = compare([one, two], metrics=["loss"], lower=["loss"])
    assert {c.difference.test for c in found.contrasts} == {"Welch t"}
    assert set(verdicts(found).values()) == {"no difference shown"}


def test_one_cell_pairs_with_another_by_its_seeds(tmp_path: Path) -> None:
    found = compare([side(tmp_path, "a", task(), lr=(0.1,)), side(tmp_path, "b", task(0, 0.02), lr=(0.2,))])
    assert found.contrasts[0].difference.paired
    assert verdicts(found)[None] == "higher"


@pytest.mark.parametrize(
    ("options", "verdict"), [({}, "lower"), ({"lower": ["loss"]}, "better"), ({"higher": ["loss"]}, "worse")]
)
def test_better_needs_to_know_which_way(tmp_path: Path, options: dict[str, Any], verdict: str) -> None:
    found = compare([side(tmp_path, "a", task()), side(tmp_path, "b", task(0.5, 0.01))], **options)
    assert verdicts(found)[None] == verdict


def test_many_candidates_are_corrected_together(tmp_path: Path) -> None:
    sides = [side(tmp_path, f"s{n}", task(0.0003 * n, 0.02 + n / 100), lr=(0.1,)) for n in range(5)]
    found = [c for c in compare(sides).contrasts if c.metric == "loss"]
    assert len(found) == 4
    raw = sorted(c.difference.p_value for c in found if c.difference.p_value is not None)
    corrected = sorted(c.p_holm for c in found if c.p_holm is not None)
    assert corrected[0] == pytest.approx(min(1.0, 4 * raw[0]))
    assert all(after >= before for before, after in zip(raw, corrected, strict=True))


def test_one_run_against_one_shows_nothing_unless_it_is_equal(tmp_path: Path) -> None:
    sweep = write_a_sweep(tmp_path / "e" / "a", list(grid(lr=(0.1, 0.2), seed=(0, 1))), task())
    jobs = [side_of(f"a/{n}", sweep, n) for n in (0, 1, 0)]
    found = compare(jobs, metrics=["loss"])
    assert [c.verdict for c in found.contrasts] == [Verdict.UNKNOWN, Verdict.EQUAL]


def test_a_value_that_is_no_number_is_left_out_and_counted(tmp_path: Path) -> None:
    def broken(point: Mapping[str, Any]) -> Outcome:
        return {"loss": float("nan") if point["seed"] == 3 else task()(point)["loss"]}  # type: ignore[index]

    found = compare([side(tmp_path, "a", task()), side(tmp_path, "b", broken)], metrics=["loss"])
    assert found.contrasts[0].left_out == 2
    assert found.contrasts[0].difference.n_candidate == 8


def test_the_columns_hold_a_row_for_each_contrast(tmp_path: Path) -> None:
    found = compare([side(tmp_path, "a", task()), side(tmp_path, "b", task(0.01))], metrics=["loss"])
    columns = found.columns()
    assert columns["params.lr"] == [None, 0.1, 0.2]
    assert set(map(len, columns.values())) == {3}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"metrics": ["los"]}, "did you mean 'loss'"),
        ({"lower": ["los"]}, "did you mean 'loss'"),
        ({"level": 95}, "no confidence level"),
    ],
)
def test_nonsense_is_refused_in_words(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    sides = [side(tmp_path, "a", task()), side(tmp_path, "b", task())]
    with pytest.raises(UsageError, match=words):
        compare(sides, **options)
    with pytest.raises(UsageError, match="nothing to compare with"):
        compare(sides[:1])


def test_a_metric_that_only_one_side_has_is_named_and_refused_where_it_is_asked_for(tmp_path: Path) -> None:
    one = side(tmp_path, "a", task())
    two = side(tmp_path, "b", lambda p: {"loss": 1.0})
    assert compare([one, two]).only_on_some == ("acc",)
    with pytest.raises(UsageError, match="no run of 'b' has reported acc"):
        compare([one, two], metrics=["acc"])


def test_a_side_without_a_completed_run_is_refused(tmp_path: Path) -> None:
    folder = write_a_sweep(tmp_path / "e" / "a", list(grid(lr=(0.1,), seed=(0,))), lambda p: State.FAILED)
    with pytest.raises(UsageError, match="nothing of 'a' has completed"):
        side_of("a", folder)
    with pytest.raises(UsageError, match="no job 7"):
        side_of("a", folder, 7)


def test_the_picture_is_a_png_and_says_what_does_not_fit(tmp_path: Path) -> None:
    lr = tuple(n / 10 for n in range(1, 21))
    sides = [side(tmp_path, name, task(), lr=lr, seeds=(0, 1)) for name in ("a", "b")]
    told = draw_comparison(compare(sides), tmp_path / "compare.png")
    assert (tmp_path / "compare.png").read_bytes().startswith(b"\x89PNG")
    assert told == "10 more cells are in compare.csv only"
