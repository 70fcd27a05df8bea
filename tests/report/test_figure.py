import itertools
import math
import struct
import sys

import pytest
from tests.analyze.factory import grid, write_a_sweep

from runyard.analyze import load_sweep
from runyard.base import State, UsageError
from runyard.report import summary_figure
from runyard.report.caption import caption, title
from runyard.report.figure import draw
from runyard.report.paper import STYLE
from runyard.report.view import make_view

pytest.importorskip("matplotlib")

LONG = [f"a_rather_long_name_of_a_model_{i}" for i in range(9)]
SWEEPS = {
    "one job": [{}],
    "two jobs": list(grid(a=["x", "y"])),
    "seeds": list(grid(seed=range(5))),
    "many seeds": list(grid(seed=range(200))),
    "lines": list(grid(lr=[0.001, 0.01, 0.1], opt=["adam", "sgd"], seed=range(3))),
    "lines from zero": list(grid(l2=[0, 0.001, 0.01, 0.1, 1])),
    "lines in panels": list(grid(lr=[1, 2, 3], a=["x", "y"], b=["x", "y"], c=["x", "y", "z"])),
    "five panels": list(grid(lr=[1, 2, 3], a=["x", "y"], b=["v", "w", "x", "y", "z"])),
    "heat": list(grid(a=[1, 2, 3], b=[0.1, 0.2, 0.3, 0.4])),
    "heat in panels": list(grid(day=range(3), d=[1, 2], gamma=[0.1, 0.2, 0.3], tau=[0.5, 0.6, 0.7])),
    "large heat": list(grid(a=range(20), b=range(30))),
    "bars": list(grid(model=LONG[:3], on=[True, False], seed=range(2))),
    "long bars": list(grid(model=LONG, seed=range(2))),
    "bars in panels": list(grid(model=LONG[:4], a=["x", "y"], b=["x", "y"], c=["x", "y"])),
    "forty bars": list(grid(model=[f"m{i}" for i in range(40)])),
    "zipped": [{"a": i, "b": "xyz"[i % 3], "c": i * 2} for i in range(5)],
    "sampled": [{"a": 10.0**-i, "b": i**2 / 7, "c": "xy"[i % 2], "n": math.nan if i else "q"} for i in range(30)],
    "dollars": list(grid(**{"a": ["$x$", "$", "_b^", "\\alpha"]})),
}


def number_of(point):
    return sum(len(str(v)) * (i + 1) + hash_free(v) for i, v in enumerate(point.values())) / 10


def hash_free(value):
    return sum(map(ord, str(value))) % 17


def loaded(tmp_path, points, task=lambda p: {"score": number_of(p)}):
    return load_sweep(write_a_sweep(tmp_path / "exp" / "s", points, task))


def size_of(path):
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n")
    return struct.unpack(">II", data[16:24])


@pytest.fixture(scope="module", params=SWEEPS)
def figure(request, tmp_path_factory):
    return drawn(loaded(tmp_path_factory.mktemp("sweep"), SWEEPS[request.param]))


def drawn(sweep, metric="score"):
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with matplotlib.rc_context(STYLE):
        figure = draw(make_view(sweep, metric))
        FigureCanvasAgg(figure).draw()
    return figure


@pytest.mark.parametrize("name", ["one job", "heat in panels", "forty bars"])
def test_the_figure_is_a_png_at_print_size(tmp_path, name):
    assert summary_figure(loaded(tmp_path, SWEEPS[name]), tmp_path / "summary.png") is None
    width, height = size_of(tmp_path / "summary.png")
    assert width == 1400  # 7 inches at 200 dots
    assert 800 <= height <= 3000


def test_tick_labels_do_not_overlap(figure):
    boxes = [box for axes in figure.axes for box in tick_boxes(axes)]
    assert boxes
    for a, b in itertools.combinations(boxes, 2):
        assert not (a.x0 < b.x1 and b.x0 < a.x1 and a.y0 < b.y1 and b.y0 < a.y1)


def tick_boxes(axes):
    for part, axis in enumerate((axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        for label in axis.get_ticklabels():
            if label.get_text() and label.get_visible() and low <= label.get_position()[part] <= high:
                yield label.get_window_extent()


def test_all_that_is_drawn_is_on_the_paper(figure):
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert 0 <= box.x0 <= box.x1 <= width
    assert 0 <= box.y0 <= box.y1 <= height


def test_both_directions_are_named_but_for_combinations_of_values(figure):
    assert any(axes.get_xlabel() for axes in figure.axes)
    names_in_ticks = any("=" in label.get_text() for label in figure.axes[0].get_yticklabels())
    assert names_in_ticks or any(axes.get_ylabel() for axes in figure.axes)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(lambda i: 0.1, id="constant"),
        pytest.param(lambda i: 0.0, id="zero"),
        pytest.param(lambda i: math.nan if i % 2 else 1.0 + i, id="some NaN"),
        pytest.param(lambda i: math.inf if i == 3 else 1.0 + i, id="one infinite"),
        pytest.param(lambda i: 10.0 ** (i * 2), id="many decades"),
        pytest.param(lambda i: -1e-9 * i, id="tiny"),
        pytest.param(lambda i: 1e300 * i, id="huge"),
    ],
)
@pytest.mark.parametrize("points", ["seeds", "lines", "heat", "bars", "sampled"])
def test_odd_values_are_drawn_without_a_warning(tmp_path, points, values):
    numbers = itertools.count()
    sweep = loaded(tmp_path, SWEEPS[points], lambda p: {"score": values(next(numbers))})
    assert summary_figure(sweep, tmp_path / "summary.png") is None


def test_the_caption_says_over_what_was_averaged_and_what_is_left_out(tmp_path):
    points = list(grid(workload__day=range(4), workload__gamma=[0.1, 0.2, 0.3], seed=range(2), fixed=["f"]))

    def task(point):
        if point["workload.day"] == 3 and point["seed"]:
            return State.TIMEOUT
        return {"score": math.nan if point["workload.gamma"] == 0.1 and point["workload.day"] == 0 else 1.0}

    view = make_view(loaded(tmp_path, points, task), "score")
    text = " ".join(caption(view, []).replace("\u00a0", " ").split())
    assert title(view) == "exp: score over gamma"
    assert "averaged over day (4 values) and 2 seeds, n = 5 to 7 jobs each" in text
    assert "bands: 95 % interval of the mean over these jobs (Student's t)" in text
    assert "fixed = f" in text
    assert "3 of 24 jobs have not completed, 2 values not finite, left out" in text


def test_one_job_a_place_has_no_interval_to_explain(tmp_path):
    text = caption(make_view(loaded(tmp_path, SWEEPS["heat"]), "score"), []).replace("\u00a0", " ")
    assert text.startswith("each value is one job")
    assert "interval" not in text


def test_when_there_are_too_many_bars_the_caption_says_which_are_shown(tmp_path):
    figure = drawn(loaded(tmp_path, SWEEPS["forty bars"]))
    text = " ".join(figure.get_supxlabel().replace("\u00a0", " ").split())
    assert "the 12 highest and 12 lowest of 40 values of model" in text
    assert len(figure.axes[0].get_yticklabels()) == 24


def test_intervals_that_would_hide_everything_are_cut_and_the_caption_says_so(tmp_path):
    sweep = loaded(tmp_path, list(grid(a=["x", "y"], seed=[0, 1])), lambda p: {"score": 10.0 + 3 * p["seed"]})
    figure = drawn(sweep)
    assert "the longest intervals are cut" in figure.get_supxlabel().replace("\u00a0", " ")
    assert figure.axes[0].get_ylim()[1] < 30  # the whole interval reaches beyond 30


def test_a_place_without_a_result_is_marked_in_a_heat_map(tmp_path):
    sweep = loaded(tmp_path, SWEEPS["heat"], lambda p: State.FAILED if p["a"] == 2 else {"score": p["b"]})
    assert "hatched: no result" in drawn(sweep).get_supxlabel().replace("\u00a0", " ")


def test_a_metric_can_be_chosen(tmp_path):
    sweep = loaded(tmp_path, SWEEPS["seeds"], lambda p: {"a": p["seed"], "b": p["seed"]})
    assert summary_figure(sweep, tmp_path / "b.png", "b") is None
    with pytest.raises(UsageError, match="unknown metric 'c'"):
        summary_figure(sweep, tmp_path / "c.png", "c")


def test_without_a_completed_job_a_sentence_says_why_there_is_no_figure(tmp_path):
    sweep = loaded(tmp_path, SWEEPS["lines"], lambda p: State.FAILED)
    assert summary_figure(sweep, tmp_path / "summary.png") == (
        "summary.png was not made: no job completed with a metric"
    )
    assert not (tmp_path / "summary.png").exists()


def test_a_named_metric_without_a_finite_value_makes_no_figure(tmp_path):
    sweep = loaded(tmp_path, SWEEPS["lines"], lambda p: {"a": 1, "b": math.nan})
    assert "no completed job has a finite b" in (summary_figure(sweep, tmp_path / "summary.png", "b") or "")


def test_without_matplotlib_a_sentence_says_what_to_install(tmp_path, monkeypatch):
    sweep = loaded(tmp_path, SWEEPS["lines"])
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    message = summary_figure(sweep, tmp_path / "summary.png")
    assert message is not None
    assert "runyard[figures]" in message


def test_the_users_own_settings_of_matplotlib_are_neither_used_nor_changed(tmp_path):
    import matplotlib

    sweep = loaded(tmp_path, SWEEPS["seeds"])
    summary_figure(sweep, tmp_path / "before.png")
    with matplotlib.rc_context({"axes.facecolor": "red", "font.size": 30}):
        summary_figure(sweep, tmp_path / "after.png")
        assert matplotlib.rcParams["font.size"] == 30
    assert (tmp_path / "before.png").read_bytes() == (tmp_path / "after.png").read_bytes()


def test_characters_without_a_font_are_told(tmp_path):
    sweep = loaded(tmp_path, list(grid(city=["\ufdd0", "b"])), lambda p: {"score": number_of(p)})
    assert "no font" in (summary_figure(sweep, tmp_path / "summary.png") or "")
