"""From the way a process ended to a state. Pure."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from runyard.base import State
from runyard.execute.task import Ended, signal_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A state, a name for what happened, and the sentence that says how it is known."""

    state: State
    kind: str
    reason: str


#: a process that dies with this much of its memory limit in use has died for want of memory.
_NEAR_THE_LIMIT = 0.7


def judge(ended: Ended, *, asked: State | None, memory_bytes: int | None = None) -> Verdict:
    """The state of an attempt whose process ended without recording a result.

    Args:
        ended: how the process ended.
        asked: why we ended it ourselves (TIMEOUT or CANCELLED), or None.
        memory_bytes: the limit that it had, or None.
    """
    if ended.exit_code is None and ended.signal is None:
        return Verdict(
            state=State.LOST, kind="Lost", reason="the process that watched the job was killed, and the job with it"
        )
    if asked is not None:
        return Verdict(state=asked, kind=asked.value.capitalize(), reason=_ASKED[asked])
    if ended.signal == signal.SIGKILL and ended.memory_kills > 0:
        return Verdict(state=State.OUT_OF_MEMORY, kind="OutOfMemory", reason="killed by the system for want of memory")
    if memory_bytes is not None and (ended.max_rss_mb or 0.0) * 1e6 >= _NEAR_THE_LIMIT * memory_bytes:
        how = signal_name(ended.signal) or f"exit code {ended.exit_code}"
        return Verdict(
            state=State.OUT_OF_MEMORY,
            kind="OutOfMemory",
            reason=f"the process ended with {how} when it had {ended.max_rss_mb} MB of the {memory_bytes / 1e6:.0f} MB "
            "that hydra.launcher.resources.mem_gb allows",
        )
    if ended.signal is not None:
        return Verdict(
            state=State.FAILED,
            kind="Killed",
            reason=f"killed by {signal_name(ended.signal)}{_HINTS.get(ended.signal, '')}",
        )
    return Verdict(
        state=State.FAILED,
        kind="ProcessEnded",
        reason=f"the process ended with exit code {ended.exit_code} before the task returned (os._exit?)",
    )


_ASKED = {
    State.TIMEOUT: "the job ran longer than hydra.launcher.timeout_min",
    State.CANCELLED: "stopped because the sweep was",
    State.PREEMPTED: "stopped because its allocation was about to end",
}
_HINTS = {
    int(signal.SIGSEGV): " (a crash in native code; the Python stack is in output.log)",
    int(signal.SIGKILL): " (not by this launcher; if memory ran out elsewhere, the kernel log tells)",
}
