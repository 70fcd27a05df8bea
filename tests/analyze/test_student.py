import itertools

import pytest

from runyard.analyze import t_quantile


@pytest.mark.parametrize("p", [0.5, 0.6, 0.9, 0.975, 0.995, 0.9995])
def test_the_quantile_agrees_with_scipy(p):
    stats = pytest.importorskip("scipy.stats")
    for df in [*range(1, 60), 99, 100, 199, 200, 201, 202, 1_000, 9_999, 10**6]:
        assert t_quantile(p, df) == pytest.approx(float(stats.t.ppf(p, df)), rel=1e-9, abs=1e-12)


def test_the_quantile_agrees_with_the_printed_table():
    table = {1: 12.706, 2: 4.303, 4: 2.776, 9: 2.262, 30: 2.042, 120: 1.980}
    assert {df: round(t_quantile(0.975, df), 3) for df in table} == table


def test_the_quantile_falls_with_the_degrees_of_freedom_also_where_the_method_changes():
    values = [t_quantile(0.975, df) for df in range(190, 215)]
    assert all(a > b for a, b in itertools.pairwise(values))


@pytest.mark.parametrize(("p", "df"), [(0.4, 3), (1.0, 3), (0.975, 0)])
def test_an_argument_out_of_range_is_an_error(p, df):
    with pytest.raises(ValueError, match="needs"):
        t_quantile(p, df)
