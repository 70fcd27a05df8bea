"""From override strings to the points of a sweep. Pure: composes nothing, runs nothing."""

from runyard.plan.condition import Condition
from runyard.plan.dimension import Chain, Dimension, Listed, Product, seeds_dimension, zipped
from runyard.plan.grid import Axis, axes_of, table_rows
from runyard.plan.order import Permutation
from runyard.plan.points import Left, Points
from runyard.plan.sampling import SAMPLERS, Interval, sample

__all__ = [
    "SAMPLERS",
    "Axis",
    "Chain",
    "Condition",
    "Dimension",
    "Interval",
    "Left",
    "Listed",
    "Permutation",
    "Points",
    "Product",
    "axes_of",
    "sample",
    "seeds_dimension",
    "table_rows",
    "zipped",
]
