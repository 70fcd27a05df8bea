"""From override strings to jobs. Pure: composes nothing, runs nothing."""

from runyard.plan.grid import Axis, axes_of, grid, grid_size, table_jobs

__all__ = ["Axis", "axes_of", "grid", "grid_size", "table_jobs"]
