"""The story: all that a report says of a sweep, before it is put on a page. Reads files; draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from runyard.analyze import LoadedSweep, primary_metric
from runyard.base import RecordError
from runyard.record import count_states
from runyard.report import findings, origin
from runyard.report.cost import Cost, Spent, cost_of
from runyard.report.coverage import CellCoverage, Coverage, coverage_of
from runyard.report.failures import Cause, causes_of
from runyard.report.importance import Importance, importance_of
from runyard.report.verdicts import Verdicts, verdicts_of
from runyard.report.wording import count, duration, job_ranges, listing, number

COST_HEADER = ("ended as", "attempts", "time", "CPU hours", "GPU hours")
COVERAGE_HEADER = ("cell", "completed", "jobs", "lacks")
_MOST_CELLS = 200
_MOST_LACKS = 6


@dataclass(frozen=True, kw_only=True)  # without slots, for what is made only when asked for
class Story:
    """What a report says. Sentences are Markdown: ``code`` and **bold**."""

    loaded: LoadedSweep
    metric: str | None
    problems: tuple[str, ...] = ()

    @cached_property
    def origins(self) -> list[str]:
        """What was run, how and from which code."""
        tell = (origin.what_was_run, origin.how_it_ran, origin.which_code)
        return [sentence for make in tell if (sentence := make(self.loaded))]

    @cached_property
    def findings(self) -> list[str]:
        """States, extremes, effects, importance, what is left out."""
        said = [findings.states_sentence(self.loaded)]
        if self.metric is None:
            said += ["No job completed with a metric."] if self.loaded.runs else []
        else:
            said += [findings.extremes(self.loaded, self.metric), findings.effects(self.loaded, self.metric)]
            said += [importance_sentence(self.importance, self.metric)]
        return [sentence for sentence in (*said, findings.left_out_sentence(self.loaded)) if sentence]

    @cached_property
    def mixtures(self) -> list[str]:
        """A sentence for each thing that means mix, or lack."""
        return [mixture.sentence for mixture in self.loaded.mixtures]

    @cached_property
    def importance(self) -> tuple[Importance, ...]:
        """The importance of the axes for the metric."""
        return () if self.metric is None else importance_of(self.loaded, self.metric)

    @cached_property
    def coverage(self) -> Coverage:
        """Which cells are whole."""
        return coverage_of(self.loaded)

    @cached_property
    def cost(self) -> Cost:
        """What the sweep took."""
        return cost_of(self.loaded)

    @cached_property
    def causes(self) -> list[Cause]:
        """Failures by cause."""
        return causes_of(self.loaded.runs)

    @cached_property
    def _judged(self) -> tuple[Verdicts | None, tuple[str, ...]]:
        try:
            return verdicts_of(self.loaded), ()
        except RecordError as error:
            return None, (f"the gates' verdicts cannot be read: {error}",)

    @property
    def verdicts(self) -> Verdicts | None:
        """The gates' verdicts; None where none were judged, or they cannot be read, which is among the problems."""
        return self._judged[0]

    @property
    def all_problems(self) -> list[str]:
        """What could not be read or made, each once."""
        return list(dict.fromkeys((*self.loaded.problems, *self.problems, *self._judged[1])))

    @property
    def counts(self) -> dict[str, int]:
        """Jobs by state."""
        return dict(count_states(self.loaded.runs))

    @property
    def cost_sentence(self) -> str:
        """``The attempts took 3 h in all, 3.2 CPU hours; 4 % of it went into attempts that did not complete.``."""
        spent = self.cost.all
        if not spent.attempts:
            return "Nothing was run."
        cpu = f"{number(spent.cpu_hours)} CPU hours" + (
            f", {number(spent.gpu_hours)} GPU hours" * bool(spent.gpu_hours)
        )
        text = f"{count(spent.attempts, 'attempt')} took {duration(spent.seconds)} in all, {cpu} reserved"
        if self.cost.wasted:
            text += f"; {100 * self.cost.wasted:.1f} % of the time went into attempts that did not complete"
        reused = f" {count(self.cost.reused, 'result')} came from earlier runs, at no cost." if self.cost.reused else ""
        return f"{text}.{reused}"

    def cost_rows(self) -> list[tuple[str, ...]]:
        """A row per state under ``COST_HEADER``, and the total when there are several."""
        rows = [_cost_row(state.value, spent) for state, spent in self.cost.by_state.items()]
        return [*rows, _cost_row("all", self.cost.all)] if len(rows) > 1 else rows

    def coverage_rows(self) -> tuple[list[tuple[str, ...]], str]:
        """Rows of cells that lack something, then of whole ones, under ``COVERAGE_HEADER``; and how many are left out.

        Whole cells are listed only where there are several repetitions: without them the results say the same.
        """
        lacking = self.coverage.incomplete
        whole = [cell for cell in self.coverage.cells if not cell.lacks] if self.coverage.repetitions > 1 else []
        cells = [*lacking, *whole]
        rows = [self._coverage_row(cell) for cell in cells[:_MOST_CELLS]]
        rest = cells[_MOST_CELLS:]
        return rows, f"{count(len(rest), 'more cell')}, see summary.csv." if rest else ""

    def _coverage_row(self, cell: CellCoverage) -> tuple[str, ...]:
        wanted = max(self.coverage.repetitions, len(cell.jobs))
        lacks = "; ".join(cell.lacks[:_MOST_LACKS])
        more = len(cell.lacks) - _MOST_LACKS
        lacks += f"; and {more} more" if more > 0 else ""
        return (cell.setting, f"{cell.completed} of {wanted}", job_ranges(cell.jobs, at_most=_MOST_LACKS), lacks)


def _cost_row(name: str, spent: Spent) -> tuple[str, ...]:
    return (name, f"{spent.attempts:,}", duration(spent.seconds), f"{spent.cpu_hours:.4g}", f"{spent.gpu_hours:.4g}")


def importance_sentence(found: Sequence[Importance], metric: str) -> str:
    """How much of the variance each axis explains; empty without a decomposition."""
    shares = [f"{origin.code(item.axis.name)} {percent(item.share)}" for item in found[:6]]
    if not shares:
        return ""
    text = f"Of the variance of {origin.code(metric)} between cells each axis explains alone"
    return f"{text}: {listing(shares)} (eta squared)."


def percent(share: float) -> str:
    """``63 %``; ``0.4 %`` for less than one."""
    return f"{100 * share:.0f} %" if share >= 0.0095 or share == 0 else f"{100 * share:.1g} %"


def make_story(loaded: LoadedSweep, metric: str | None = None, problems: Sequence[str] = ()) -> Story:
    """The story of a sweep about a metric; None takes the primary one (see ``primary_metric``).

    Raises:
        UsageError: no job reported ``metric``.
    """
    return Story(loaded=loaded, metric=primary_metric(loaded.table, metric), problems=tuple(problems))
