"""The display of a sweep at work: a live region on a terminal, plain lines elsewhere.

Starts no thread: the controller's loop calls ``update`` as often as it likes. A stream that breaks (the terminal
was closed) ends the display and never the sweep.
"""

from __future__ import annotations

import io
import math
import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TextIO

from runyard.base import State, unknown_name
from runyard.orchestrate.showing.view import Progress, best_text, failure_line, number, render_lines, time_line
from runyard.record import RunRecord, label_of, one_line

if TYPE_CHECKING:
    from rich.text import Text

_FRAME_S = 1 / 8
_PLAIN_EVERY_S = 1.0
_HEARTBEAT_S = 60.0
_ALL_LINES = 100  # a sweep of up to so many jobs has a plain line for each
_MOST_FAILURES = 20


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
            self.message(f"[{progress.ended}/{progress.total}] {counts}; {time_line(progress)}{best}")

    def job_ended(self, run: RunRecord) -> None:
        """Writes a line for the end of an attempt, if it is its turn."""
        self._ended.add(run.job)
        mark = f"[{self._done + len(self._ended)}/{self._total}]"
        if run.state is not State.COMPLETED:
            self.message(f"{mark} {failure_line(run)}")
        elif self._total <= _ALL_LINES or self._clock() - self._written_at >= _PLAIN_EVERY_S:
            took = "" if run.seconds is None else f" in {run.seconds:.1f} s"
            if run.reused is not None:
                took = f", reused from {run.reused.get('sweep_id')}/{run.reused.get('job')}"
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
