from __future__ import annotations

from pathlib import Path

import pytest

from runyard.base import RecordError
from runyard.cluster.work import Array, Group, Work, job_ids, keep_work, read_work, read_works
from runyard.record import SweepPaths

WORK = Work(
    number=0,
    first=10,
    count=5,
    values={"partition": "gpu"},
    cluster="big at head:6817",
    groups=(Group(resources={"cpus": 1}, workers=2), Group(resources={"cpus": 4}, workers=1, jobs=(11, 13))),
    take=frozenset({10, 11, 14}),
    attempts={11: 2},
    arrays=(Array(job_id=7, group=0, first=0, tasks=2), Array(job_id=8, group=1, first=0, tasks=1)),
)


def test_a_submission_is_read_as_it_was_kept(tmp_path: Path) -> None:
    keep_work(tmp_path, WORK)
    assert read_works(tmp_path) == [WORK]
    assert job_ids([WORK]) == [7, 8]
    assert WORK.arrays[0].workers == ["7_0", "7_1"]


def test_the_workers_of_a_group_take_its_jobs_that_are_wanted() -> None:
    assert WORK.jobs_of(0) == [10, 11, 14]
    assert WORK.jobs_of(1) == [11]


def test_a_sweep_without_submissions_has_none(tmp_path: Path) -> None:
    assert read_works(tmp_path) == []


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"number": 0, "groups": 3}'])
def test_a_damaged_submission_is_told_with_its_file(tmp_path: Path, text: str) -> None:
    path = SweepPaths(tmp_path).slurm / "work-0.json"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(RecordError, match=r"work-0\.json"):
        read_work(tmp_path, 0)
