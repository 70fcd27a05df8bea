import re
import xml.etree.ElementTree as ET

import pytest
from tests.analyze.factory import grid, write_a_sweep

from runyard.analyze import load_sweep
from runyard.base import State, UsageError
from runyard.report import write_report
from runyard.report.cost import cost_of
from runyard.report.coverage import coverage_of
from runyard.report.details import details_of, without_secrets
from runyard.report.importance import importance_of
from runyard.report.plates import plates_of
from runyard.report.spread import form_for
from runyard.report.story import make_story

pytest.importorskip("matplotlib")
plotly = pytest.importorskip("plotly.graph_objects")


def sweep(tmp_path, points, task, **changes):
    return write_a_sweep(tmp_path / "exp" / "s1", points, task, **changes)


def test_a_report_is_a_page_markdown_and_figures_that_the_markdown_links_to(tmp_path):
    folder = sweep(tmp_path, list(grid(a=["x", "y"], b=[1, 2, 3], seed=[0, 1])), lambda p: {"loss": p["b"] + p["seed"]})
    made = write_report(folder)
    assert made.problems == ()
    assert {path.suffix for path in made.figures} == {".png", ".svg"}
    text = made.markdown.read_text()
    links = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert len(links) == len(made.figures) / 2
    assert all((folder / link).read_bytes().startswith(b"\x89PNG") for link in links)
    assert (folder / "results.csv").is_file()
    for path in made.figures:
        if path.suffix == ".svg":
            assert ET.parse(path).getroot().tag.endswith("svg")


def test_pieces_that_are_not_asked_for_are_not_made(tmp_path):
    folder = sweep(tmp_path, list(grid(a=["x", "y"])), lambda p: {"loss": 1.0})
    made = write_report(folder, html=False, figures=False)
    assert made.html is None
    assert made.figures == ()
    assert not (folder / "report.html").exists()
    assert not (folder / "figures").exists()


def test_the_metric_is_the_one_that_the_config_names(tmp_path):
    folder = sweep(tmp_path, list(grid(a=[1, 2])), lambda p: {"loss": p["a"], "score": -p["a"]})
    (folder / "multirun.yaml").write_text("hydra:\n  callbacks:\n    runyard:\n      metric: score\n")
    write_report(folder, html=False, figures=False)
    assert "`score` was highest" in (folder / "report.md").read_text()


def test_a_metric_that_nobody_reported_is_refused(tmp_path):
    folder = sweep(tmp_path, list(grid(a=[1, 2])), lambda p: {"loss": p["a"]})
    with pytest.raises(UsageError, match="unknown metric 'los'"):
        write_report(folder, metric="los")


@pytest.mark.parametrize("points", [list(grid(a=[1, 2, 3], b=["x", "y"], c=[0.1, 0.2, 0.3], seed=range(2))), [{}]])
def test_every_figure_is_one_that_plotly_accepts(tmp_path, points):
    folder = sweep(tmp_path, points, lambda p: {"loss": float(len(str(p)) + sum(map(ord, str(p))) % 17)})
    plates = plates_of(make_story(load_sweep(folder)))
    assert plates
    for plate in plates:
        plotly.Figure(data=plate.spec["data"], layout=plate.spec["layout"])


def test_importance_is_the_share_of_variance_between_levels(tmp_path):
    # y = 3 a + b over {0,1} x {0,1}: SS_a = 9, SS_b = 1, SS_total = 10
    folder = sweep(tmp_path, list(grid(a=[0, 1], b=[0, 1])), lambda p: {"y": 3.0 * p["a"] + p["b"]})
    found = {item.axis.name: item.share for item in importance_of(load_sweep(folder), "y")}
    assert found == pytest.approx({"a": 0.9, "b": 0.1})


def test_importance_of_a_metric_that_never_changes_is_not_told(tmp_path):
    folder = sweep(tmp_path, list(grid(a=[0, 1], b=[0, 1])), lambda p: {"y": 2.0})
    assert importance_of(load_sweep(folder), "y") == ()


def test_coverage_names_the_seeds_that_a_cell_lacks(tmp_path):
    points = [*grid(a=["x", "y"], seed=[0, 1, 2]), {"a": "z", "seed": 0}]
    failed = {"a": "y", "seed": 1}
    folder = sweep(tmp_path, points, lambda p: State.FAILED if p == failed else {"loss": 1.0})
    coverage = coverage_of(load_sweep(folder))
    assert [(cell.setting, cell.completed, cell.lacks) for cell in coverage.cells] == [
        ("a=x", 3, ()),
        ("a=y", 2, ("seed=1 (job 4, FAILED)",)),
        ("a=z", 1, ("seed=1 (not planned)", "seed=2 (not planned)")),
    ]
    assert coverage.sentence == "2 of 3 cells lack a result for each of 3 seeds."


def test_cost_adds_up_the_attempts_by_the_state_in_which_they_ended(tmp_path):
    folder = sweep(tmp_path, list(grid(a=[0, 1, 2])), lambda p: {"y": 1.0} if p["a"] else State.TIMEOUT)
    cost = cost_of(load_sweep(folder))
    assert {state: spent.seconds for state, spent in cost.by_state.items()} == {
        State.TIMEOUT: 1.5,
        State.COMPLETED: 6.0,
    }
    assert cost.all.cpu_hours == pytest.approx(7.5 / 3600)
    assert cost.wasted == pytest.approx(0.2)


@pytest.mark.parametrize(("n", "form"), [(2, "strip"), (7, "strip"), (8, "box"), (29, "box"), (30, "violin")])
def test_the_number_of_values_chooses_how_they_are_shown(n, form):
    assert form_for(n) == form


def test_secrets_of_a_config_are_taken_out_also_below_a_key():
    text = "a: 1\napi_key: 'abcd1234'\ncredentials:\n  user: someone\n  list:\n  - onemore\nmax_tokens: 5\n"
    config, secrets = without_secrets(text)
    assert config == "a: 1\napi_key: ***\ncredentials: ***\nmax_tokens: 5"
    assert set(secrets) >= {"abcd1234", "someone", "onemore"}


def test_the_details_of_a_thousand_jobs_are_of_bounded_size(tmp_path):
    folder = sweep(tmp_path, list(grid(a=range(50))), lambda p: {"y": p["a"]})
    for job in range(50):
        (folder / str(job) / "output.log").write_text("".join(f"job {job} line {n}\n" for n in range(20_000)))
    details = details_of(load_sweep(folder))
    assert sum(len(line) + 1 for line in details["lines"]) < 50 * 8192 + 1000
    assert all(job["cut"] > 100_000 for job in details["jobs"].values())


def test_a_log_in_the_report_is_without_the_terminals_colours(tmp_path):
    folder = sweep(tmp_path, list(grid(a=[1])), lambda p: {"y": p["a"]})
    (folder / "0" / "output.log").write_text("\x1b[32mINFO\x1b[0m begun\n 50%|# |\r100%|##|\nended\n")
    details = details_of(load_sweep(folder))
    lines = [details["lines"][n] for n in details["jobs"]["0"]["log"]]
    assert [line for line in lines if line] == ["INFO begun", "100%|##|", "ended"]


def test_the_notes_and_the_report_say_what_means_mix(tmp_path):
    shas = {0: "a" * 40, 1: "b" * 40}
    folder = sweep(
        tmp_path,
        list(grid(lr=[1, 2], seed=[0, 1])),
        lambda p: {"y": p["lr"] + p["seed"]},
        origin=lambda p: {"git": {"sha": shas[p["seed"]], "dirty": False}},
    )
    write_report(folder, figures=False)
    for name in ("report.md", "report.html"):
        assert "Runs are from different commits" in (folder / name).read_text()
