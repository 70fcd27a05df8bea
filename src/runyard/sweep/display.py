"""What the controller of a sweep shows while it works: a live region on a terminal, plain lines elsewhere.

Starts no thread: the controller's loop calls ``update`` as often as it likes. A stream that breaks (the terminal
was closed) ends the display and never the sweep.
"""

from __future__ import annotations

import io
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from runyard.base import STATES, TERMINAL, State, unknown_name
from runyard.record import RunPaths, RunRecord

if TYPE_CHECKING:
    from rich.text import Text

_FRAME_S = 1 / 8
_PLAIN_EVERY_S = 1.0
_HEARTBEAT_S = 60.0
_ALL_LINES = 100  # a sweep of up to so many jobs has a plain line for each
_MOST_RUNNING = 10
_MOST_FAILURES = 20
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

    lines = [_headline(progress, ascii_only), _states_line(progress), Text(_time_line(progress), style="dim")]
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


def _time_line(progress: Progress) -> str:
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


def one_line(text: str) -> str:
    """Text without line ends and other characters that would disturb a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def reason_of(run: RunRecord) -> str:
    """Why the last attempt of a run did not complete, in one line."""
    last = run.attempts[-1] if run.attempts else None
    if last is None:
        return "it never began"
    if last.error is not None:
        first = last.error.message.strip().splitlines()
        return one_line(f"{last.error.type}: {first[0]}" if first else last.error.type)
    if last.signal is not None:
        return f"killed by {last.signal}"
    if last.exit_code is not None:
        return f"exit code {last.exit_code}"
    return "its process is gone" if run.state is State.LOST else "no cause is recorded"


def label_of(run: RunRecord) -> str:
    """What tells a run from the others: its swept values, or all its overrides when nothing was swept."""
    swept = [f"{name}={value}" for name, value in run.params.items()]
    return one_line(" ".join(swept or run.overrides))


def failure_line(run: RunRecord) -> str:
    """State, overrides, reason and log of a job that did not complete."""
    log = RunPaths(Path(run.run_dir)).output_log
    shown = os.path.relpath(log) if log.is_relative_to(Path.cwd()) else log
    return f"job {run.job} {run.state} ({label_of(run)}): {reason_of(run)}; log: {shown}"


class Display(Protocol):
    """Where a sweep's progress is shown. The controller owns it and calls it from one thread; nothing raises."""

    def start(self) -> None:
        """Before the first job."""

    def update(self, progress: Progress) -> None:
        """How it stands now; may be called often."""

    def job_ended(self, run: RunRecord) -> None:
        """An attempt at a job ended."""

    def message(self, text: str) -> None:
        """A line that is to stay."""

    def close(self) -> None:
        """After the last job; the display is not used again."""


Clock = Callable[[], float]


class LiveDisplay:
    """A region at the end of the terminal that is drawn anew, at most eight times a second, and leaves no trace.

    Failures and messages are printed above it and stay. The cursor is not hidden: a controller that is killed
    could not bring it back.
    """

    def __init__(self, stream: TextIO, *, clock: Clock = time.monotonic) -> None:
        from rich.console import Console

        self._stream, self._clock = stream, clock
        # it only turns styles into codes; what is written, and when, is decided here
        self._console = Console(file=_Nowhere(), force_terminal=True, highlight=False, markup=False, emoji=False)
        self._ascii_only = "utf" not in (getattr(stream, "encoding", None) or "").lower()
        self._progress: Progress | None = None
        self._widths: list[int] = []
        self._drawn_at = -math.inf
        self._failures = 0

    def start(self) -> None:
        """Nothing is drawn before the first update."""

    def update(self, progress: Progress) -> None:
        """Draws the region, unless it was drawn an eighth of a second ago or less."""
        self._progress = progress
        if self._clock() - self._drawn_at >= _FRAME_S:
            self._draw("")

    def job_ended(self, run: RunRecord) -> None:
        """Prints a failure above the region; of many only the first, as the counts tell the rest."""
        if run.state in (State.COMPLETED, State.CANCELLED):
            return
        self._failures += 1
        if self._failures <= _MOST_FAILURES:
            self.message(failure_line(run))
        elif self._failures == _MOST_FAILURES + 1:
            self.message("further failures are only counted here; each is in its run.json")

    def message(self, text: str) -> None:
        """Prints a line above the region."""
        self._draw(text + "\n")

    def close(self) -> None:
        """Takes the region away."""
        self._progress = None
        self._draw("")

    def _draw(self, above: str) -> None:
        """One write: the old region is taken away, ``above`` printed, the region drawn again."""
        columns, rows = _size(self._stream)
        frame = _erase(self._widths, columns) + above
        lines: list[Text] = []
        if self._progress is not None:
            lines = render_lines(self._progress, width=columns, height=rows, ascii_only=self._ascii_only)
            with self._console.capture() as capture:
                for n, line in enumerate(lines):
                    self._console.print(line, soft_wrap=True, end="" if n == len(lines) - 1 else "\n")
            frame += capture.get()
        self._widths = [line.cell_len for line in lines]
        self._drawn_at = self._clock()
        if not _write(self._stream, frame):
            self._stream = _Nowhere()


class PlainDisplay:
    """Lines for a file or a pipe: each failure, and each other end in a small sweep, one a second in a large one.

    Args:
        stream: where to.
        total: jobs of the sweep.
        done: jobs that had ended before.
        clock: seconds, never going back.
    """

    def __init__(self, stream: TextIO, *, total: int, done: int = 0, clock: Clock = time.monotonic) -> None:
        self._stream, self._total, self._done, self._clock = stream, total, done, clock
        self._ended: set[int] = set()
        self._written_at = -math.inf

    def start(self) -> None:
        """The first heartbeat is due a minute from here."""
        self._written_at = self._clock() - _PLAIN_EVERY_S

    def update(self, progress: Progress) -> None:
        """Writes how the sweep stands when nothing has been written for a minute."""
        if self._clock() - self._written_at >= _HEARTBEAT_S:
            counts = ", ".join(f"{n} {state.lower()}" for state, n in progress.counts.items() if n)
            best = f"; {best_text(progress.best)}" if progress.best else ""
            self.message(f"[{progress.ended}/{progress.total}] {counts}; {_time_line(progress)}{best}")

    def job_ended(self, run: RunRecord) -> None:
        """Writes a line for the end of an attempt, if it is its turn."""
        self._ended.add(run.job)
        mark = f"[{self._done + len(self._ended)}/{self._total}]"
        if run.state is not State.COMPLETED:
            self.message(f"{mark} {failure_line(run)}")
        elif self._total <= _ALL_LINES or self._clock() - self._written_at >= _PLAIN_EVERY_S:
            took = "" if run.seconds is None else f" in {run.seconds:.1f} s"
            metrics = "  ".join(f"{one_line(name)}={number(value)}" for name, value in list(run.metrics.items())[:3])
            self.message(f"{mark} job {run.job} {run.state}{took} ({label_of(run)})  {metrics}")

    def message(self, text: str) -> None:
        """Writes a line."""
        self._written_at = self._clock()
        if not _write(self._stream, text.rstrip() + "\n"):
            self._stream = _Nowhere()

    def close(self) -> None:
        """Nothing is left to do."""


class SilentDisplay:
    """Shows nothing."""

    def start(self) -> None:  # noqa: D102
        pass

    def update(self, progress: Progress) -> None:  # noqa: D102
        pass

    def job_ended(self, run: RunRecord) -> None:  # noqa: D102
        pass

    def message(self, text: str) -> None:  # noqa: D102
        pass

    def close(self) -> None:  # noqa: D102
        pass


def make_display(stream: TextIO, total: int, *, done: int = 0, kind: str = "auto") -> Display:
    """The display for a stream.

    Args:
        stream: where to; a terminal gets the live region, anything else lines.
        total: jobs of the sweep.
        done: jobs that had ended before this controller began.
        kind: ``auto``, ``live``, ``plain`` or ``none``.

    Raises:
        UsageError: there is no such kind.
    """
    if kind not in ("auto", "live", "plain", "none"):
        raise unknown_name("display", kind, ("auto", "live", "plain", "none"), where="hydra.launcher.display")
    if kind == "none":
        return SilentDisplay()
    if kind == "live" or (kind == "auto" and stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"):
        return LiveDisplay(stream)
    return PlainDisplay(stream, total=total, done=done)


def _size(stream: TextIO) -> tuple[int, int]:
    """Columns and rows of the terminal now; 80 by 24 when it does not say."""
    try:
        size = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return 80, 24
    return size.columns or 80, size.lines or 24


def _erase(widths: Sequence[int], columns: int) -> str:
    """What takes lines of these widths away, the cursor being at the end of the last.

    In a terminal that has become narrower since, they take more rows than lines.
    """
    rows = sum(max(math.ceil(width / columns), 1) for width in widths)
    if not rows:
        return ""
    up = f"\x1b[{rows - 1}A" if rows > 1 else ""
    return f"\r{up}\x1b[J"


def _write(stream: TextIO, text: str) -> bool:
    """Writes and flushes; False when the stream is broken, as when its terminal was closed."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        stream.write(text.encode(encoding, "replace").decode(encoding))
        stream.flush()
    except (OSError, ValueError):
        return False
    return True


class _Nowhere(io.StringIO):
    """In the place of a stream that broke: forgets what is written."""

    def write(self, text: str, /) -> int:
        return len(text)
