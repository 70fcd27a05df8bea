import pytest

from runyard.report.paper import scale_of


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([0.001, 0.01, 0.1], "log"),
        ([1, 2, 4, 8, 16, 32, 64], "log"),
        ([0, 0.001, 0.01, 0.1], "symlog"),
        (list(range(1, 101)), "linear"),
        ([1, 2, 3], "linear"),
        ([0, 1, 2], "linear"),
        ([-100, 1, 10, 100], "linear"),
        ([0.1, 0.5, 1.0], "linear"),
        ([16, 32, 64, 128, 512], "log"),
    ],
)
def test_values_that_are_laid_out_by_ratio_get_a_logarithmic_scale(values, scale):
    assert scale_of(values) == scale
