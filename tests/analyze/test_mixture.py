from __future__ import annotations

from runyard.analyze.mixture import MixedRun, mixtures_among
from runyard.analyze.origin import Origin
from runyard.base import State

CLEAN = Origin(facets={("commit", ""): "aaaaaaa", ("package", "numpy"): "2.0"}, is_dirty=False)
OTHER = Origin(facets={("commit", ""): "bbbbbbb", ("package", "numpy"): "2.0"}, is_dirty=False)
DIRTY = Origin(facets={("commit", ""): "aaaaaaa", ("dirty", ""): "1234567"}, is_dirty=True)


def run(number, *, origin=CLEAN, state=State.COMPLETED, cell=0, steps=None, damaged=False):
    return MixedRun(
        number=number,
        state=state,
        cell=cell,
        is_damaged=damaged,
        origin=origin if state is State.COMPLETED else None,
        steps=steps or {},
    )


def only(runs, **options):
    (mixture,) = mixtures_among(runs, **options)
    return mixture


def test_runs_that_have_all_in_common_mix_nothing():
    assert mixtures_among([run(n) for n in range(5)]) == ()
    assert mixtures_among([]) == ()


def test_two_commits_are_said_with_their_jobs():
    mixture = only([run(0), run(1), run(2, origin=OTHER)])

    assert mixture.kind == "commit"
    assert mixture.sentence == "Runs are from different commits: aaaaaaa (jobs 0, 1), bbbbbbb (job 2)."
    assert mixture.values == {"aaaaaaa": (0, 1), "bbbbbbb": (2,)}


def test_what_one_run_does_not_tell_is_no_difference():
    silent = Origin(facets={("package", "numpy"): "2.0"}, is_dirty=False)

    assert mixtures_among([run(0), run(1, origin=silent)]) == ()


def test_a_setting_that_only_some_runs_were_given_is_a_difference():
    given = Origin(facets={**CLEAN.facets, ("config", "wd"): "0.1"}, is_dirty=False)

    mixture = only([run(0), run(1, origin=given)])

    assert (mixture.kind, mixture.values) == ("config", {"wd not given": (0,), "wd=0.1": (1,)})


def test_one_dirty_tree_is_told_and_clean_ones_beside_it_too():
    alone = only([run(0, origin=DIRTY), run(1, origin=DIRTY)])
    beside = only([run(0), run(1, origin=DIRTY)])

    assert alone.kind == beside.kind == "dirty"
    assert alone.values == {"aaaaaaa with changes 1234567": (0, 1)}
    assert "its commit alone does not give these results" in alone.sentence
    assert beside.sentence.startswith("Some runs are from code with uncommitted changes")


def test_two_patches_on_one_commit_are_told_apart():
    again = Origin(facets={**DIRTY.facets, ("dirty", ""): "7654321"}, is_dirty=True)

    mixture = only([run(0, origin=DIRTY), run(1, origin=again)])

    assert mixture.sentence.startswith("Runs are from code with different uncommitted changes")
    assert len(mixture.values) == 2


def test_steps_are_compared_within_a_cell_only():
    apart = [run(0, cell=0, steps={"curve.step": 50}), run(1, cell=1, steps={"curve.step": 100})]
    together = [*apart, run(2, cell=1, steps={"curve.step": 60})]

    assert mixtures_among(apart) == ()
    assert only(together).values == {"curve.step 60": (2,), "curve.step 100": (1,)}


def test_states_without_a_result_are_missing_or_failed_or_damaged():
    runs = [
        run(0),
        run(1, state=State.PENDING),
        run(2, state=State.CANCELLED),
        run(3, state=State.TIMEOUT),
        run(4, state=State.PENDING, damaged=True),
    ]

    missing, failed, damaged = mixtures_among(runs)

    assert (missing.kind, missing.values) == ("missing", {"PENDING": (1,), "CANCELLED": (2,)})
    assert (failed.kind, failed.values) == ("failed", {"TIMEOUT": (3,)})
    assert (damaged.kind, damaged.values) == ("damaged", {"run.json": (4,)})


def test_runs_that_did_not_complete_are_in_no_mean_and_mix_no_code():
    assert only([run(0), run(1, origin=OTHER, state=State.FAILED)]).kind == "failed"


def test_seeds_that_were_never_planned_are_missing():
    mixture = only([run(0)], unplanned={"seed 3": 2})

    assert mixture.kind == "missing"
    assert mixture.sentence.endswith(": seed 3 not planned in 2 cells.")


def test_long_lists_are_cut_and_rows_are_called_rows():
    runs = [run(n, origin=CLEAN if n < 30 else OTHER) for n in range(31)]

    assert only(runs, noun="row").sentence.endswith(": aaaaaaa (30 rows), bbbbbbb (row 30).")
