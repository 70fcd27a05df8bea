"""What is shown of a sweep at work, as data and as lines. Pure; knows no terminal."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runyard.base import STATES, TERMINAL, State
from runyard.record import RunPaths, RunRecord, label_of, one_line, reason_of

if TYPE_CHECKING:
    from rich.text import Text

_MOST_RUNNING = 10
_BAR = 24
_STYLES = {State.COMPLETED: "green", State.RUNNING: "cyan", State.PENDING: "dim", State.CANCELLED: "yellow"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningJob:
    """A job under way: its number, what tells it from the others (its overrides), and seconds since it began."""

    job: int
    label: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """A value worth showing: ``label`` is ``best``, ``highest`` or ``lowest``; ``job`` reached it."""

    label: str
    metric: str
    value: float
    job: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How a sweep stands. ``counts`` are of all its ``total`` jobs by state; missing states count 0.

    ``eta_s`` is in seconds, None while nothing is known; ``elapsed_s`` since this controller began.
    """

    sweep_id: str
    total: int
    counts: Mapping[str, int]
    running: Sequence[RunningJob] = ()
    best: Sequence[Best] = ()
    eta_s: float | None = None
    elapsed_s: float = 0.0

    @property
    def ended(self) -> int:
        """How many jobs are in a state in which nothing is under way."""
        return sum(self.counts.get(state.value, 0) for state in TERMINAL)


class BestSoFar:
    """The highest and the lowest value of one metric over the runs seen.

    Args:
        metric: its name; None for the first that a job reports.
        direction: ``max`` or ``min`` when it is known which is better; None shows both ends.
    """

    def __init__(self, metric: str | None = None, direction: str | None = None) -> None:
        self._metric, self._direction = metric, direction
        self._ends: dict[str, Best] = {}

    def see(self, run: RunRecord) -> None:
        """Takes a run into account when it is COMPLETED and has the metric as a number (NaN is none)."""
        if run.state is not State.COMPLETED or not run.metrics:
            return
        self._metric = self._metric or next(iter(run.metrics))
        value = run.metrics.get(self._metric)
        if not isinstance(value, (int, float)) or math.isnan(value):
            return
        for label, sign in (("highest", 1), ("lowest", -1)):
            end = self._ends.get(label)
            if end is None or sign * value > sign * end.value:
                self._ends[label] = Best(label=label, metric=self._metric, value=value, job=run.job)

    @property
    def best(self) -> tuple[Best, ...]:
        """The best when the direction is known, else the highest and the lowest; empty before the first value."""
        ends = self._ends
        if not ends:
            return ()
        if self._direction is None and ends["highest"].value != ends["lowest"].value:
            return (ends["highest"], ends["lowest"])
        end = ends["lowest" if self._direction == "min" else "highest"]
        label = "" if self._direction is None else "best"
        return (Best(label=label, metric=end.metric, value=end.value, job=end.job),)


def eta_seconds(*, ended: int, ended_s: float, pending: int, running_s: Sequence[float], slots: int) -> float | None:
    """Seconds until every job has ended; None before the first end.

    The work that is left (pending jobs at the mean of the ended ones, the rest of those under way) spread over
    the slots, but no less than the longest single job that is left.

    Args:
        ended: jobs whose seconds are known.
        ended_s: their seconds in sum.
        pending: jobs that have not begun.
        running_s: seconds that each job under way has had.
        slots: how many run at a time.
    """
    if ended == 0:
        return None
    mean = ended_s / ended
    rest = [max(mean - seconds, 0.0) for seconds in running_s]
    longest = max([mean if pending else 0.0, *rest])
    return max((pending * mean + sum(rest)) / max(slots, 1), longest)


def render_lines(progress: Progress, *, width: int, height: int, ascii_only: bool = False) -> list[Text]:
    """The live region: at most ``height - 1`` lines of at most ``width - 1`` cells, so that nothing wraps."""
    from rich.text import Text

    lines = [_headline(progress, ascii_only), _states_line(progress), Text(time_line(progress), style="dim")]
    if progress.best:
        lines.append(Text(best_text(progress.best)))
    room = min(max(height - 1 - len(lines), 0), _MOST_RUNNING)
    lines += [Text(line) for line in _running_lines(progress.running, room)]
    for line in lines:
        line.truncate(max(width - 1, 1), overflow="crop" if ascii_only else "ellipsis")
    return lines[: max(height - 1, 1)]


def _headline(progress: Progress, ascii_only: bool) -> Text:
    from rich.text import Text

    done = progress.ended / progress.total if progress.total else 1.0
    full = int(done * _BAR)
    on, off = ("#", "-") if ascii_only else ("━", "─")
    return Text.assemble(
        f"{progress.ended}/{progress.total} jobs ",
        (on * full, "green"),
        (off * (_BAR - full), "dim"),
        f" {int(100 * done)} %  ",
        (progress.sweep_id, "bold"),
    )


def _states_line(progress: Progress) -> Text:
    from rich.text import Text

    waiting = (State.RUNNING, State.PENDING)
    order = [*(state for state in STATES if state not in waiting), *waiting]
    parts = [(n, state) for state in order if (n := progress.counts.get(state.value, 0))]
    return Text("  ").join(Text(f"{n} {state.lower()}", style=_STYLES.get(state, "bold red")) for n, state in parts)


def time_line(progress: Progress) -> str:
    """``1:20 elapsed, about 3 min left``."""
    left = "" if progress.eta_s is None or progress.ended >= progress.total else f", {rough(progress.eta_s)} left"
    return f"{clock(progress.elapsed_s)} elapsed{left}"


def _running_lines(running: Sequence[RunningJob], room: int) -> list[str]:
    """The jobs that have run longest; what does not fit is counted."""
    longest = sorted(running, key=lambda job: (-job.seconds, job.job))
    shown = longest if len(longest) <= room else longest[: max(room - 1, 0)]
    wide = max((len(str(job.job)) for job in shown), default=0)
    lines = [f"  job {job.job:>{wide}}  {clock(job.seconds):>7}  {one_line(job.label)}" for job in shown]
    more = len(longest) - len(shown)
    return [*lines, f"  +{more} more"] if more and room else lines


def best_text(best: Sequence[Best]) -> str:
    """``loss: highest 2.3 (job 4), lowest 0.1 (job 7)``."""
    ends = ", ".join(f"{end.label} {number(end.value)} (job {end.job})".lstrip() for end in best)
    return f"{one_line(best[0].metric)}: {ends}"


def clock(seconds: float) -> str:
    """``0:07``, ``12:34``, ``1:02:03``."""
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def rough(seconds: float) -> str:
    """``about 40 s``, ``about 3 min``, ``about 2 h 10 min``: no more precise than an estimate is."""
    if seconds < 90:
        return f"about {max(math.ceil(seconds), 1)} s"
    minutes = math.ceil(seconds / 60)
    return f"about {minutes} min" if minutes < 90 else f"about {minutes // 60} h {minutes % 60} min"


def number(value: object) -> str:
    """A metric's value, short: four digits that count."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def failure_line(run: RunRecord) -> str:
    """State, overrides, reason and log of a job that did not complete."""
    log = RunPaths(Path(run.run_dir)).output_log
    shown = os.path.relpath(log) if log.is_relative_to(Path.cwd()) else log
    return f"job {run.job} {run.state} ({label_of(run)}): {reason_of(run)}; log: {shown}"
