"""Results of a sweep: tables of jobs and statistics over seeds. Knows what is on disk, not how jobs came to run."""

from runyard.analyze.axes import Axis
from runyard.analyze.cells import Cell, Columns, cell_text, level
from runyard.analyze.groups import Group, groups_of
from runyard.analyze.jobtable import JobTable, job_table, results_frame
from runyard.analyze.load import LoadedSweep, load_sweep, mixtures_of
from runyard.analyze.metric import is_bookkeeping, primary_metric
from runyard.analyze.mixture import Mixture
from runyard.analyze.open import load
from runyard.analyze.results import Results
from runyard.analyze.student import t_quantile
from runyard.analyze.summary import summary_columns
from runyard.analyze.tables import write_columns
from runyard.analyze.write import attempt, write_results

__all__ = [
    "Axis",
    "Cell",
    "Columns",
    "Group",
    "JobTable",
    "LoadedSweep",
    "Mixture",
    "Results",
    "attempt",
    "cell_text",
    "groups_of",
    "is_bookkeeping",
    "job_table",
    "level",
    "load",
    "load_sweep",
    "mixtures_of",
    "primary_metric",
    "results_frame",
    "summary_columns",
    "t_quantile",
    "write_columns",
    "write_results",
]
