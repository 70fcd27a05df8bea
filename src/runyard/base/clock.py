"""Time: aware, in UTC, written as ISO 8601."""

from __future__ import annotations

from datetime import datetime, timezone


def utc_now() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(timezone.utc)


def iso(moment: datetime) -> str:
    """``2026-01-31T12:00:00.000Z``: UTC, milliseconds.

    Raises:
        ValueError: the moment is naive.
    """
    if moment.tzinfo is None:
        raise ValueError("a naive time has no place here; use utc_now()")
    text = moment.astimezone(timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def from_iso(text: str) -> datetime:
    """The moment that ``iso`` wrote."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
