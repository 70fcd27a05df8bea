from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.workloads.dispatch.jobs import read_jobs
from runyard import UsageError

Write = Callable[..., Path]
TIME = "platform_order_time"


def test_times_count_from_the_earliest_row(write_csv: Write) -> None:
    path = write_csv(["2022-10-17T10:30:05Z,1,2,3,4", "2022-10-17T10:30:02.5Z,5,6,7,8"])
    jobs = read_jobs(path, TIME)
    assert jobs.time_us.tolist() == [0, 2_500_000]
    assert jobs.origin.tolist() == [[5, 6], [1, 2]]
    assert jobs.destination.tolist() == [[7, 8], [3, 4]]


def test_rows_of_the_same_time_keep_their_order(write_csv: Write) -> None:
    path = write_csv([f"2022-10-17T10:30:0{k % 2}Z,{k},0,0,0" for k in range(8)])
    assert read_jobs(path, TIME).origin[:, 0].tolist() == [0, 2, 4, 6, 1, 3, 5, 7]


def test_a_time_with_an_offset_is_the_same_instant_in_utc(write_csv: Write) -> None:
    path = write_csv(
        ["2022-10-17T10:30:00Z,0,0,0,0", "2022-10-17T12:30:01+02:00,0,0,0,0", "2022-10-17T10:30:02,0,0,0,0"]
    )
    jobs = read_jobs(path, TIME)
    assert jobs.time_us.tolist() == [0, 1_000_000, 2_000_000]


def test_rows_that_cannot_be_used_are_skipped_and_counted(write_csv: Write) -> None:
    good = "2022-10-17T10:30:00Z,1,2,3,4"
    bad = [
        *["2022-10-17T10:30:00Z,1,2,3,", "2022-10-17T10:30:00Z,1,2,3,x", "2022-10-17T10:30:00Z,inf,2,3,4"],
        *["yesterday,1,2,3,4", ",1,2,3,4", "2022-10-17T10:30:00Z,1,2", "2022-10-17T10:30:00Z,1,2,3,4,5"],
    ]
    jobs = read_jobs(write_csv([good, *bad, good]), TIME)
    assert len(jobs) == 2
    assert jobs.skipped_rows == len(bad)


def test_other_columns_are_ignored_and_the_order_of_columns_is_free(write_csv: Write) -> None:
    header = "id,recipient_lng,recipient_lat,when,sender_lng,sender_lat"
    jobs = read_jobs(write_csv(["a,4,3,2022-10-17T10:30:00Z,2,1"], header), "when")
    assert (jobs.origin.tolist(), jobs.destination.tolist()) == ([[1, 2]], [[3, 4]])


def test_a_missing_column_is_named_with_the_columns_found(write_csv: Write) -> None:
    path = write_csv(["1,2,3"], header="sender_lat,sender_lng,order_time")
    with pytest.raises(UsageError) as caught:
        read_jobs(path, TIME)
    assert "recipient_lat, recipient_lng, platform_order_time" in caught.value.what
    assert "columns found: sender_lat, sender_lng, order_time" in caught.value.where
    assert "timestamp_column" in caught.value.todo


def test_a_missing_file_is_named_with_the_way_to_generate_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_jobs(tmp_path / "day9.csv", TIME)
    assert str(tmp_path / "day9.csv") in caught.value.what
    assert "python -m app.workloads.dispatch.generate" in caught.value.todo


def test_a_file_without_a_usable_row_is_an_error(write_csv: Write) -> None:
    with pytest.raises(UsageError, match="no usable row among 1"):
        read_jobs(write_csv(["1665971832,1,2,3,4"]), TIME)
    with pytest.raises(UsageError, match="no usable row among 0"):
        read_jobs(write_csv([]), TIME)


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(UsageError, match="missing columns: sender_lat"):
        read_jobs(tmp_path / "empty.csv", TIME)


def test_a_file_that_is_not_csv_is_an_error(write_csv: Write) -> None:
    path = write_csv(["2022-10-17T10:30:00Z," + "1" * 200_000 + ",2,3,4"])
    with pytest.raises(UsageError, match="not a CSV file: field larger"):
        read_jobs(path, TIME)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(write_csv: Write) -> None:
    path = write_csv(["2022-10-17T10:30:00Z,1,2,3,4"])
    plain = read_jobs(path, TIME)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    marked = read_jobs(path, TIME)
    assert np.array_equal(plain.origin, marked.origin)
    assert plain.sha256 != marked.sha256


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_row_that_is_too_long_does_no_harm_to_the_others(write_csv: Write, place: int) -> None:
    rows = ["2022-10-17T10:30:00Z,1,2,3,4", "2022-10-17T10:30:00Z,1,2,3,4"]
    rows.insert(place, "2022-10-17T10:30:00Z,1,2,3,4,5")
    jobs = read_jobs(write_csv(rows), TIME)
    assert (jobs.origin.tolist(), jobs.skipped_rows) == ([[1, 2], [1, 2]], 1)
