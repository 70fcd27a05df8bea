from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from runyard.base import from_iso, iso, utc_now


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 31, 12, tzinfo=timezone.utc), "2026-01-31T12:00:00.000Z"),
        (datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=timezone.utc), "2026-01-31T12:00:00.123Z"),
        (datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=5))), "2026-01-31T07:00:00.000Z"),
        (datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=2))), "2025-12-31T22:30:00.000Z"),
    ],
)
def test_a_moment_is_written_in_utc_to_the_millisecond(moment: datetime, text: str) -> None:
    assert iso(moment) == text
    assert abs(from_iso(text) - moment) < timedelta(milliseconds=1)


def test_now_is_aware_and_survives_being_written() -> None:
    now = utc_now()
    assert now.utcoffset() == timedelta(0)
    assert abs(from_iso(iso(now)) - now) < timedelta(milliseconds=1)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="utc_now"):
        iso(datetime(2026, 1, 1))
