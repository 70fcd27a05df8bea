"""What differs between sweeps, runs, commits: config, code and environment; and metric by metric how much."""

from runyard.compare.comparison import Comparison, compare
from runyard.compare.contrast import Contrast, Verdict
from runyard.compare.facts import Fact, facts_of
from runyard.compare.picture import draw_comparison, short
from runyard.compare.side import Side, side_of, side_of_commit

__all__ = [
    "Comparison",
    "Contrast",
    "Fact",
    "Side",
    "Verdict",
    "compare",
    "draw_comparison",
    "facts_of",
    "short",
    "side_of",
    "side_of_commit",
]
