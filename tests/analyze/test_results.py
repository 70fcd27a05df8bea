from __future__ import annotations

import math

import pandas as pd
import pytest
from tests.analyze.factory import grid, write_a_sweep

from runyard.analyze import load
from runyard.base import State, UsageError
from runyard.record import ErrorInfo

CLEAN = {"git": {"sha": "aaaaaaa0000", "branch": "main", "dirty": False, "patch": None}}


def clean(point):
    return CLEAN


def task(point):
    noise = {1: 0.02, 2: -0.01, 3: 0.03}[point["seed"]]
    return {
        "eval.loss": 1 / (1 + point["model.lr"]) + noise * (1 + point["model.lr"]),
        "wins": point["seed"],
        "trials": 10,
    }


def points():
    return list(grid(model__lr=[0.1, 1.0], opt=["adam", "sgd"], seed=[1, 2, 3]))


@pytest.fixture
def root(tmp_path):
    return tmp_path / "multirun"


@pytest.fixture
def sweep(root):
    return write_a_sweep(root / "line" / "20260131T120000Z-aaaaaaa", points(), task, origin=clean)


def test_a_reference_is_a_path_an_id_or_the_latest(sweep, root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    for reference in (sweep, str(sweep), "20260131", "latest", "line/latest"):
        assert load(reference).sweeps[0].dir == sweep
    assert load(roots=root).sweeps[0].dir == sweep
    assert load("20260131", roots=[root]).sweeps[0].dir == sweep


def test_a_reference_that_names_nothing_is_a_mistake_of_the_user(sweep, root):
    with pytest.raises(UsageError, match="no sweep 'x'"):
        load("x", roots=root)
    with pytest.raises(UsageError, match="no sweep is named"):
        load([], roots=root)
    with pytest.raises(UsageError, match="named more than once"):
        load([sweep, "20260131"], roots=root)


def test_results_have_a_row_for_each_job(sweep):
    results = load(sweep)

    assert len(results) == len(results.results) == 12
    assert list(results.results)[:5] == ["job", "state", "model.lr", "opt", "seed"]
    assert results.names == ("model.lr", "opt", "seed")
    assert results.metrics == ("eval.loss", "wins", "trials")


def test_a_summary_groups_by_all_settings_unless_told(sweep):
    results = load(sweep)

    whole = results.summary()
    by_lr = results.summary("lr", metrics="loss")

    assert len(whole) == 4 * 3
    assert list(whole)[:3] == ["model.lr", "opt", "metric"]
    assert by_lr["n"].tolist() == [6, 6]
    raw = results.results.groupby("model.lr")["eval.loss"]
    assert by_lr["mean"].tolist() == pytest.approx(raw.mean().tolist())
    assert by_lr["std"].tolist() == pytest.approx(raw.std().tolist())
    assert results.summary([], metrics="loss")["n"].tolist() == [12]


def test_a_wider_confidence_gives_a_wider_interval_and_methods_differ(sweep):
    results = load(sweep)

    narrow, wide = results.summary(metrics="loss", ci=0.8), results.summary(metrics="loss", ci=0.99)
    bootstrap = results.summary(metrics="loss", ci=0.8, method="bootstrap")

    assert ((wide["high"] - wide["low"]) > (narrow["high"] - narrow["low"])).all()
    assert (bootstrap["mean"] == narrow["mean"]).all() and (bootstrap["low"] != narrow["low"]).all()


def test_proportions_are_pooled_over_the_jobs_of_a_group(sweep):
    frame = load(sweep).summary("opt", proportions={"win rate": ("wins", "trials")})

    assert frame["metric"].tolist() == ["win rate"] * 2
    assert (frame["successes"].tolist(), frame["trials"].tolist()) == ([12, 12], [60, 60])
    assert frame["mean"].tolist() == [0.2, 0.2]
    assert frame["low"].tolist() == pytest.approx([0.1185] * 2, abs=1e-3)


def test_best_is_ranked_by_the_mean_and_tells_whether_the_second_is_noise(sweep):
    results = load(sweep)

    best = results.best("loss", "min", by="lr")
    within = results.best("loss", "min")

    assert best["model.lr"] == 1.0
    assert (best["n"], best["within_noise"]) == (6, False)
    assert best["low"] < best["mean"] < best["high"]
    assert best["next_behind"] == pytest.approx(results.summary("lr", metrics="loss")["mean"].diff().abs().iloc[1])
    assert within["within_noise"]


def test_what_is_best_is_averaged_over_days_and_folds_too(root):
    days = list(grid(data__day=[1, 2, 3], lr=[1, 2]))
    folder = write_a_sweep(root / "line" / "s", days, lambda p: {"m": p["lr"] + p["data.day"] ** p["lr"]}, origin=clean)

    results = load(folder)

    assert results.best("m")[["lr", "n", "mean"]].tolist() == [2, 3, pytest.approx(2 + 14 / 3)]
    assert len(results.ranking("m", by=["data.day", "lr"])) == 6
    assert len(results.summary()) == 6


def test_a_metric_is_asked_for_where_there_is_none(root):
    folder = write_a_sweep(root / "line" / "s", [{"a": 1}], lambda p: State.FAILED, origin=clean)

    with pytest.raises(UsageError, match="no metric 'm': there is none at all"):
        load(folder).best("m")


def test_best_without_a_second_does_not_speak_of_noise(root):
    one = write_a_sweep(
        root / "line" / "one", [{"seed": s} for s in (1, 2)], lambda p: {"a": p["seed"] / 2}, origin=clean
    )

    best = load(one).best("a")

    assert (best["mean"], best["within_noise"], best["next_p_value"], best["mixed"]) == (0.75, None, None, None)


def test_best_of_nothing_is_refused(root):
    none = write_a_sweep(root / "line" / "none", [{"a": 1}], lambda p: {"m": math.nan}, origin=clean)

    with pytest.raises(UsageError, match="no completed job has a finite value of 'm'"):
        load(none).best("m")


def test_a_pivot_has_the_values_in_their_order_and_gaps_where_nothing_is(root):
    some = [p for p in grid(lr=[10, 9], opt=["b", "a"], seed=[1, 2]) if (p["lr"], p["opt"]) != (9, "a")]
    folder = write_a_sweep(root / "line" / "some", some, lambda p: {"m": float(p["lr"])}, origin=clean)

    cells = load(folder).pivot("m", "lr", "opt")

    assert (cells.index.name, cells.columns.name) == ("lr", "opt")
    assert cells.index.tolist() == [9, 10]
    assert cells.loc[10].tolist() == [10.0, 10.0]
    assert pd.isna(cells.loc[9, "a"])
    assert load(folder).pivot("m", "lr", "opt", value="n").loc[10, "b"] == 2


def test_a_pivot_over_lists_of_names_has_levels(sweep):
    cells = load(sweep).pivot("loss", ["lr", "opt"], "seed")

    assert cells.index.names == ["model.lr", "opt"]
    assert cells.shape == (4, 3)


def test_a_pivot_of_a_name_with_itself_is_refused(sweep):
    with pytest.raises(UsageError, match=r"'opt' is in the rows and in the columns"):
        load(sweep).pivot("loss", "opt", ["opt", "seed"])


def test_what_is_missing_is_listed_with_its_cause(root):
    def mixed(point):
        return {
            1: {"m": 1.0},
            2: ErrorInfo(type="ValueError", message="no\nmore"),
            3: State.PENDING,
            4: State.TIMEOUT,
            5: {},
        }[point["seed"]]

    folder = write_a_sweep(root / "line" / "s", [{"seed": n} for n in range(1, 6)], mixed, origin=clean)

    missing = load(folder).missing

    assert list(missing) == ["job", "seed", "state", "why", "attempts", "run_dir"]
    assert missing["job"].tolist() == [1, 2, 3, 4]
    assert missing["why"].tolist() == [
        "ValueError: no",
        "it has not run",
        "its last attempt ended TIMEOUT",
        "it reported no metric",
    ]


def test_nothing_is_missing_from_a_whole_sweep(sweep):
    assert load(sweep).missing.empty


def test_a_table_has_the_rows_of_all_jobs_with_their_swept_values(root):
    def rows(point):
        return {"curve": [{"step": s, "seed": "own", "loss": s * point["lr"]} for s in range(2)]}

    folder = write_a_sweep(root / "line" / "s", list(grid(lr=[1, 2], seed=[7])), lambda p: {}, rows=rows, origin=clean)

    results = load(folder)
    frame = results.table("curve")

    assert results.tables == ("curve",)
    assert list(frame) == ["job", "state", "lr", "seed", "step", "curve.seed", "loss"]
    assert frame["loss"].tolist() == [0, 1, 0, 2]
    assert frame["lr"].tolist() == [1, 1, 2, 2]
    with pytest.raises(UsageError, match="unknown table 'curves'"):
        results.table("curves")


def test_strict_refuses_a_mean_over_two_commits_and_names_them(root):
    def origin(point):
        return {"git": {**CLEAN["git"], "sha": "bbbbbbb0000"}} if point["seed"] == 3 else CLEAN

    results = load(write_a_sweep(root / "line" / "s", points(), task, origin=origin))

    assert set(results.summary()["mixed"]) == {"commit"}
    assert [mixture.kind for mixture in results.mixtures] == ["commit"]
    for ask in (
        lambda: results.summary(strict=True),
        lambda: results.best("loss", strict=True),
        lambda: results.ranking("loss", strict=True),
    ):
        with pytest.raises(UsageError, match=r"(?s)mixed \(commit\).*aaaaaaa \(8 jobs\), bbbbbbb \(jobs 2, 5, 8, 11\)"):
            ask()


def test_strict_can_be_told_what_to_allow(root):
    def origin(point):
        return {**CLEAN, "host_name": f"node{point['seed']}"}

    results = load(write_a_sweep(root / "line" / "s", points(), task, origin=origin))

    assert results.summary(strict=True, allow=["host"]).equals(results.summary())
    assert results.best("loss", strict=True, allow=["host"]).equals(results.best("loss"))
    with pytest.raises(UsageError, match=r"mixed \(host\)"):
        results.refuse_mixtures(allow=["commit"])
    with pytest.raises(UsageError, match="unknown kind of mixture 'hosts'"):
        results.refuse_mixtures(allow=["hosts"])


def test_strict_lets_a_clean_sweep_pass(sweep):
    results = load(sweep)

    assert results.summary(strict=True).equals(results.summary())


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda r: r.summary("lrr"), "unknown swept name 'lrr'"),
        (lambda r: r.summary(metrics=["los"]), "unknown metric 'los'"),
        (lambda r: r.summary(ci=95), "lies between 0 and 1, not 95"),
        (lambda r: r.summary(method="jackknife"), "unknown method 'jackknife'"),
        (lambda r: r.summary(proportions={"a": ("wins", "tries")}), "unknown metric 'tries'"),
        (lambda r: r.best("loss", "maximum"), "unknown mode 'maximum'"),
        (lambda r: r.ranking("loss", n=0), "at least one group"),
        (lambda r: r.pivot("loss", "lr", "opt", value="median"), "unknown value 'median'"),
    ],
)
def test_wrong_questions_are_answered_with_what_there_is(sweep, ask, said):
    with pytest.raises(UsageError, match=said):
        ask(load(sweep))


def test_several_sweeps_stand_side_by_side(sweep, root):
    other = write_a_sweep(
        root / "other" / "20260201T120000Z-aaaaaaa",
        list(grid(opt=["adam"], seed=[1, 2])),
        lambda p: {"eval.loss": 0.5},
        origin=lambda p: {**CLEAN, "overrides": ["+model.lr=0.1"]},
    )

    results = load([sweep, other])
    frame = results.results

    assert list(frame)[:6] == ["sweep", "experiment", "job", "state", "model.lr", "opt"]
    assert frame["experiment"].tolist() == ["line"] * 12 + ["other"] * 2
    assert frame["model.lr"].tolist()[-2:] == [0.1, 0.1]
    assert len(results.summary(metrics="loss")) == 5
    pooled = results.summary("opt", metrics="loss").set_index("opt")
    assert pooled["n"].to_dict() == {"adam": 8, "sgd": 6}
    assert "2 sweeps" in repr(results)


def test_sweeps_with_other_configs_are_mixed_and_the_rows_are_named(sweep, root):
    other = write_a_sweep(
        root / "line" / "20260201T120000Z-aaaaaaa", points(), task, origin=lambda p: {**CLEAN, "overrides": ["wd=3"]}
    )
    (sweep / "config.yaml").write_text("wd: 1\nmodel:\n  lr: 0.3\n  depth: 2\n")
    (other / "config.yaml").write_text("wd: 1\nmodel:\n  lr: 0.5\n  depth: 4\n")

    config, repeated = load([sweep, other]).mixtures

    assert config.kind == "config"
    assert set(config.values) == {"model.depth=2", "model.depth=4", "wd=1", "wd=3"}
    assert config.values["wd=3"] == tuple(range(12, 24))
    assert repeated.kind == "repeated"
    assert len(repeated.values) == 12


def test_a_sweep_that_swept_sweep_keeps_its_column(root):
    folders = [
        write_a_sweep(root / "line" / f"s{n}", list(grid(sweep=["x"], seed=[n])), lambda p: {"m": 1.0}, origin=clean)
        for n in (1, 2)
    ]

    frame = load(folders).results

    assert (frame["sweep"].tolist(), frame["its_sweep"].tolist()) == (["x", "x"], ["s1", "s2"])


def test_it_says_what_it_is_in_a_terminal_and_in_a_notebook(sweep):
    results = load(sweep)

    assert repr(results).splitlines() == [
        "Results of sweep line/20260131T120000Z-aaaaaaa: 12 jobs (12 COMPLETED)",
        "  swept: model.lr (2), opt (2), seed (3)",
        "  metrics: eval.loss, wins, trials",
    ]
    assert results._repr_html_().startswith("<p><b>Results of sweep line/")
    assert results._repr_html_().count("<li>") == 2


def test_what_is_said_in_a_notebook_is_text_and_no_markup(root):
    folder = write_a_sweep(root / "line" / "s", [{"<b>": 1}], lambda p: {"<i>": 1.0}, origin=clean)

    assert "<i>" not in load(folder)._repr_html_()
