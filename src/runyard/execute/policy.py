"""When a job is tried again, and when a sweep stops. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from runyard.base import State, unknown_name

#: states that may be named in ``retry_on``; any other word there is the name of an exception class.
RETRYABLE = (State.FAILED, State.TIMEOUT, State.OUT_OF_MEMORY, State.PREEMPTED, State.LOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """At most ``max_retries`` further attempts in one go, for the causes in ``retry_on``."""

    max_retries: int = 0
    retry_on: Collection[str] = ("FAILED", "TIMEOUT", "PREEMPTED", "LOST")

    def wants_retry(self, state: State, error_type: str | None, attempts: int) -> bool:
        """Whether an attempt that ended so is followed by another.

        Args:
            state: how it ended.
            error_type: name of the exception's class, if there was one.
            attempts: how many this controller has made of the job, this one included.
        """
        if attempts > self.max_retries or state not in RETRYABLE:
            return False
        names = {state.value, *((error_type, error_type.rpartition(".")[2]) if error_type else ())}
        return not names.isdisjoint(self.retry_on)


def check_causes(retry_on: Collection[str]) -> None:
    """Raises UsageError when a word in capitals is no state that can be retried."""
    for word in retry_on:
        if word.isupper() and word not in {s.value for s in RETRYABLE}:
            raise unknown_name(
                "cause",
                word,
                [s.value for s in RETRYABLE] + ["the name of an exception class"],
                where="hydra.launcher.retry_on",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """After how many jobs that did not complete no further job starts; None means never."""

    max_failures: int | None = None

    @property
    def counts(self) -> bool:
        """Whether any number of failures stops the sweep."""
        return self.max_failures is not None

    def is_reached(self, failures: int) -> bool:
        """Whether so many failures stop the sweep."""
        return self.max_failures is not None and failures >= self.max_failures
