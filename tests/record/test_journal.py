from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from runyard.record import Journal, PlanMark, read_events, replay


def _events(path: Path) -> list[dict[str, Any]]:
    return [{k: v for k, v in event.items() if k != "t"} for event in read_events(path)]


def _line(event: str, **fields: Any) -> bytes:
    return json.dumps({"event": event, **fields}).encode() + b"\n"


def test_events_are_read_in_the_order_in_which_they_were_added(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.append("submitted", count=2)
        journal.append("started", job=0)
        assert [e["event"] for e in _events(path)] == ["submitted", "started"]  # at once, before any flush
        journal.append("ended", job=0, run={"loss": float("nan")})
    assert _events(path)[-1] == {"event": "ended", "job": 0, "run": {"loss": "NaN"}}
    assert all(event["t"].endswith("Z") for event in read_events(path))


def test_a_journal_that_is_not_there_has_no_events(tmp_path: Path) -> None:
    assert list(read_events(tmp_path / "journal.jsonl")) == []
    assert replay(tmp_path / "journal.jsonl").runs == {}


def test_a_second_writer_goes_on_behind_the_first(tmp_path: Path) -> None:
    for number in range(3):
        with Journal(tmp_path / "j") as journal:
            journal.append("controller", pid=number)
    assert [e["pid"] for e in _events(tmp_path / "j")] == [0, 1, 2]


_WHOLE = _line("started", job=1) + _line("started", job=2)


@pytest.mark.parametrize("length", range(1, len(_line("started", job=2)) + 1))
def test_a_line_torn_at_any_place_is_skipped_and_costs_no_other(tmp_path: Path, length: int) -> None:
    path = tmp_path / "j"
    path.write_bytes(_WHOLE[:-length])
    before = _events(path)
    # Without its line end alone an event is whole.
    assert [e["job"] for e in before] == ([1, 2] if length == 1 else [1])
    with Journal(path) as journal:
        journal.append("started", job=3)
        journal.append("started", job=4)
    assert [e["job"] for e in _events(path)] == [e["job"] for e in before] + [3, 4]


@pytest.mark.parametrize(
    "damage",
    [
        b'{"event": "ended", "job": 1, "ru',
        b"\x00" * 4096,
        b"\xff\xfe\xfd",
        b"null\n",
        b"[1, 2]\n",
        b'"text"\n',
        b"{}\n",
        b'{"t": 1}\n',
        b"\n\n\n",
        b'{"event": "ended", "job": "x", "run": {}}\n',
        b'{"event": "ended"}\n',
        b'{"event": "submitted", "count": null}\n',
        b'{"event": "planned", "count": 1, "size": null, "sha256": ""}\n',
        b'{"event": "never heard of"}\n',
    ],
)
def test_damage_in_the_middle_costs_no_other_event(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(_line("submitted", count=3) + damage)
    with Journal(path) as journal:
        journal.append("ended", job=2, run={"state": "COMPLETED"})
    ledger = replay(path)
    assert (ledger.submitted, ledger.runs) == (3, {2: {"state": "COMPLETED"}})


def test_the_ledger_holds_the_last_of_each_job(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        journal.append("submitted", count=5)
        journal.append("planned", count=3, size=40, sha256="a")
        journal.append("planned", count=5, size=60, sha256="b")
        journal.append("started", job=1, attempt=1)
        journal.append("ended", job=1, run={"state": "FAILED"})
        journal.append("started", job=1, attempt=2)
        journal.append("ended", job=1, run={"state": "COMPLETED"})
        journal.append("started", job=4, attempt=1)
        journal.append("stopped", state="FAILED")
    ledger = replay(tmp_path / "j")
    assert (ledger.submitted, ledger.planned, ledger.mark) == (5, 5, PlanMark(size=60, sha256="b"))
    assert ledger.runs == {1: {"state": "COMPLETED"}}
    assert {job: event["attempt"] for job, event in ledger.started.items()} == {1: 2, 4: 1}


@pytest.mark.parametrize("kinds", [("submitted",), ("planned",), ("ended",), ("started", "ended"), ()])
def test_a_part_of_the_journal_says_of_its_kinds_what_the_whole_says(tmp_path: Path, kinds: tuple[str, ...]) -> None:
    path = tmp_path / "j"
    path.write_bytes(
        _line("ended", job=1, run={"state": "COMPLETED", "of": "planned"}) + b'{"event": "planned", "cou\n'
    )
    with Journal(path) as journal:
        journal.append("submitted", count=5, words='ended, "ended" and \u00fc')
        journal.append("planned", count=5, size=60, sha256="b")
        journal.append("started", job=1, attempt=2)
        journal.append("ended", job=4, run={"started": "ended"})
    of_kinds = [event for event in read_events(path) if event["event"] in kinds]
    assert [event for event in read_events(path, kinds) if event["event"] in kinds] == of_kinds
    whole, part = replay(path), replay(path, kinds)
    fields = {"submitted": ["submitted"], "planned": ["planned", "mark"], "started": ["started"], "ended": ["runs"]}
    for name in [name for kind in kinds for name in fields[kind]]:
        assert getattr(part, name) == getattr(whole, name)


def test_lines_of_other_kinds_are_not_parsed(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(_line("submitted", count=5) + _line("ended", job=1, run={}))
    assert [event["event"] for event in read_events(path, ("submitted",))] == ["submitted"]


def test_a_killed_writer_loses_none_of_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "j"
    code = """
        import os, signal, sys
        from pathlib import Path
        from runyard.record import Journal
        journal = Journal(Path(sys.argv[1]))
        for job in range(50):
            journal.append("started", job=job)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [e["job"] for e in _events(path)] == list(range(50))


def test_a_writer_goes_on_after_a_full_disk_and_loses_only_what_did_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "j"
    code = """
        import resource, signal, sys
        from pathlib import Path
        from runyard.record import Journal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        journal = Journal(Path(sys.argv[1]))
        journal.append("started", job=0)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        for job in (1, 2):
            try:
                journal.append("ended", job=job, run={"note": "x" * 2000})
            except OSError:
                pass
            else:
                raise SystemExit("no error")
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        journal.append("started", job=3)
        journal.append("started", job=4)
        journal.close()
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(path)], check=False)
    assert done.returncode == 0
    assert [e["job"] for e in _events(path)] == [0, 3, 4]


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="mounting needs root")
def test_a_journal_on_a_disk_that_is_really_full_keeps_what_it_had(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "none", str(small)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount: {mounted.stderr.decode()}")
    try:
        journal = Journal(small / "j")
        written = 0
        with pytest.raises(OSError, match="No space"):
            for job in range(1000):
                journal.append("started", job=job, note="x" * 100)
                written += 1
        assert len(_events(small / "j")) == written > 10
        journal.close()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_flushing_waits_for_its_interval(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", flush_every_s=3600) as journal:
        journal.flush_if_due()
        journal.append("started", job=0)
        journal.flush_if_due()
        journal.flush()
        journal.flush()
    journal.close()  # a second time is harmless
    assert len(_events(tmp_path / "j")) == 1
