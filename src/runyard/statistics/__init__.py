"""Statistics of numbers: a sample described, a proportion, a difference, many tests at once. Knows no sweep."""

from runyard.statistics.describe import Description, Method, describe
from runyard.statistics.difference import Difference, difference
from runyard.statistics.holm import holm
from runyard.statistics.interval import Interval
from runyard.statistics.proportion import proportion_interval, proportions_difference

__all__ = [
    "Description",
    "Difference",
    "Interval",
    "Method",
    "describe",
    "difference",
    "holm",
    "proportion_interval",
    "proportions_difference",
]
