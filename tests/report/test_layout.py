import pytest

from runyard.analyze import Axis
from runyard.report import choose_layout


def axis(name, values, kind="numeric", role="setting"):
    return Axis(name=name, kind=kind, values=tuple(values), role=role)


DAY = axis("day", range(8), role="replicate")
D = axis("d", [10, 20, 30])
GAMMA = axis("gamma", [0.0, 0.25, 0.5, 0.75, 1.0])
TAU = axis("tau", [0.0, 0.5, 1.0])
LR = axis("lr", [0.001, 0.01, 0.1])
OPT = axis("opt", ["adam", "sgd"], "categorical")
ON = axis("on", [True, False], "bool")
SEED = axis("seed", range(5), role="seed")
MODEL = axis("model", [f"m{i}" for i in range(12)], "categorical")


def names(layout):
    placed = [layout.x, layout.y, layout.series]
    return [a and a.name for a in placed], [a.name for a in layout.facets], [a.name for a in layout.averaged]


def full(*axes):
    size = 1
    for a in axes:
        if a.role == "setting":
            size *= len(a.values)
    return choose_layout(axes, size)


@pytest.mark.parametrize(
    ("axes", "kind", "placed", "facets", "averaged"),
    [
        ([], "points", [None, None, None], [], []),
        ([SEED], "points", [None, None, None], [], []),
        ([axis("one", [1])], "points", [None, None, None], [], []),
        ([LR, SEED], "lines", ["lr", None, None], [], []),
        ([LR, OPT, SEED], "lines", ["lr", None, "opt"], [], []),
        ([OPT, ON, LR], "lines", ["lr", None, "opt"], ["on"], []),
        ([LR, MODEL], "lines", ["lr", None, None], [], ["model"]),
        ([OPT, SEED], "bars", ["opt", None, None], [], []),
        ([OPT, MODEL], "bars", ["model", None, "opt"], [], []),
        ([axis("n", [1, 2])], "bars", ["n", None, None], [], []),
        ([D, DAY], "lines", ["d", None, None], [], ["day"]),
        ([DAY], "lines", ["day", None, None], [], []),
        ([GAMMA, TAU], "heat", ["gamma", "tau", None], [], []),
        ([TAU, GAMMA, OPT], "heat", ["gamma", "tau", None], ["opt"], []),
        ([DAY, D, GAMMA, TAU], "heat", ["gamma", "tau", None], ["d"], ["day"]),
        ([GAMMA, TAU, MODEL], "heat", ["gamma", "tau", None], [], ["model"]),
        ([GAMMA, TAU, OPT, D], "heat", ["gamma", "tau", None], ["opt", "d"], []),
        ([GAMMA, TAU, OPT, D, ON], "heat", ["gamma", "tau", None], ["opt", "on"], ["d"]),
    ],
)
def test_the_axes_choose_the_figure(axes, kind, placed, facets, averaged):
    layout = full(*axes)
    assert (layout.kind, *names(layout)) == (kind, placed, facets, averaged)


def test_every_axis_that_varies_has_a_place_or_is_averaged():
    layout = full(DAY, D, GAMMA, TAU, OPT, ON, MODEL, SEED)
    placed, facets, averaged = names(layout)
    assert {*filter(None, placed), *facets, *averaged} == {"day", "d", "gamma", "tau", "opt", "on", "model"}


def test_few_combinations_that_are_no_grid_get_a_bar_each():
    layout = choose_layout([LR, GAMMA, OPT], 5)
    assert layout.kind == "configs"
    assert layout.by == ("lr", "gamma", "opt")


def test_many_combinations_that_are_no_grid_get_a_panel_for_each_axis():
    sampled = [axis(f"p{i}", [j / 7 for j in range(50)]) for i in range(8)]
    layout = choose_layout(sampled, 50)
    assert layout.kind == "scatter"
    assert [a.name for a in layout.shown] == [f"p{i}" for i in range(6)]
    assert [a.name for a in layout.averaged] == ["p6", "p7"]


def test_a_grid_with_some_points_excluded_is_a_grid():
    assert choose_layout([GAMMA, TAU], 10).kind == "heat"
