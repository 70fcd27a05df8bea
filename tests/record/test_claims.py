from __future__ import annotations

import errno
import multiprocessing
import os
from pathlib import Path

import pytest

from runyard.record import Claims, Holder

ME, OTHER = Holder(worker="12_0"), Holder(worker="12_1", restarts=2, attempts=1)


def test_a_turn_of_a_job_is_taken_once(tmp_path: Path) -> None:
    assert Claims(tmp_path).take(3, 1, ME)
    assert not Claims(tmp_path).take(3, 1, OTHER)
    assert Claims(tmp_path).holder(3, 1) == ME


def test_further_turns_can_be_taken_and_the_last_is_told(tmp_path: Path) -> None:
    claims = Claims(tmp_path)
    assert claims.turns() == {}
    for job, turn in ((3, 1), (3, 2), (11, 1)):
        assert claims.take(job, turn, OTHER)
    assert claims.turns() == {3: 2, 11: 1}
    assert claims.holder(3, 2) == OTHER
    assert claims.holder(3, 3) is None


def test_what_was_given_back_can_be_taken_by_another(tmp_path: Path) -> None:
    Claims(tmp_path).take(3, 1, ME)
    Claims(tmp_path).give_back(3, 1)
    assert Claims(tmp_path).take(3, 1, OTHER)


def test_a_claim_leaves_no_other_file(tmp_path: Path) -> None:
    claims = Claims(tmp_path)
    claims.take(3, 1, ME)
    claims.take(3, 1, OTHER)
    assert os.listdir(tmp_path) == ["3.1"]


def test_a_damaged_claim_is_taken_and_has_no_holder(tmp_path: Path) -> None:
    (tmp_path / "3.1").write_text("[")
    assert not Claims(tmp_path).take(3, 1, ME)
    assert Claims(tmp_path).holder(3, 1) is None


def test_without_hard_links_a_turn_is_taken_once_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(source: str, target: str) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuses)
    assert Claims(tmp_path).take(3, 1, ME)
    assert not Claims(tmp_path).take(3, 1, OTHER)
    assert Claims(tmp_path).holder(3, 1) == ME


def _takes_all(folder: Path, worker: str, jobs: int) -> list[int]:
    claims = Claims(folder)
    return [job for job in range(jobs) if claims.take(job, 1, Holder(worker=worker))]


def test_of_several_processes_each_job_goes_to_one(tmp_path: Path) -> None:
    jobs = 300
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        taken = pool.starmap(_takes_all, [(tmp_path, f"1_{n}", jobs) for n in range(4)])
    assert sorted(job for found in taken for job in found) == list(range(jobs))
