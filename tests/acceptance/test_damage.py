"""Full disks and damaged files: said in words, and nothing that was finished is lost."""

import csv
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.conftest import Shell, read_json

from runyard import RecordError
from runyard.orchestrate import Selection, collect, resume_command


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    shell = Shell(tmp_path_factory.mktemp("finished"))
    shell.app("short_app", "-m", "+runyard=local", "i=range(4)", check=0)
    return shell.only_sweep("short_app")


@pytest.fixture
def sweep(finished, tmp_path):
    """A copy of a finished sweep, to be damaged."""
    return Path(shutil.copytree(finished, tmp_path / "multirun" / "short_app" / finished.name))


def results(sweep):
    with (sweep / "results.csv").open() as file:
        return [(row["job"], row["state"], row["square"]) for row in csv.DictReader(file)]


EXPECTED = [(str(i), "COMPLETED", str(i**2)) for i in range(4)]


@pytest.mark.parametrize("name", ["1/run.json", "results.csv", "sweep.json", "plan.csv", "summary.csv", "notes.md"])
@pytest.mark.parametrize("damage", [b"\x00{garbage", b"", None], ids=["garbage", "empty", "missing"])
def test_collect_makes_every_file_again_that_is_damaged(sweep, name, damage):
    if damage is None:
        (sweep / name).unlink()
    else:
        (sweep / name).write_bytes(damage)
    collect(sweep, None)
    assert results(sweep) == EXPECTED
    assert read_json(sweep / "1" / "run.json")["state"] == "COMPLETED"
    assert read_json(sweep / "sweep.json")["counts"] == {"COMPLETED": 4}
    assert (sweep / name).stat().st_size > 20


def test_a_damaged_journal_costs_nothing_that_the_records_have(sweep):
    journal = sweep / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:3]) + b'{"event": "ended", "job": \xff\n' + lines[-1][:20])
    collect(sweep, None)
    assert results(sweep) == EXPECTED


def test_a_sweep_without_its_record_is_found_by_its_path(sweep, shell):
    (sweep / "sweep.json").unlink()
    shell.runyard("collect", str(sweep), check=0)
    assert read_json(sweep / "sweep.json")["state"] == "COMPLETED"


def test_a_damaged_snapshot_is_named_when_the_sweep_is_resumed(sweep):
    (sweep / "snapshot" / "frozen.pkl").write_bytes(b"nonsense")
    with pytest.raises(RecordError, match=r"frozen\.pkl"):
        resume_command(sweep, select=Selection())


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 3 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(folder)], capture_output=True, text=True
    )
    if done.returncode != 0:
        pytest.skip(f"this system does not let root mount: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_ends_the_sweep_in_words_and_resume_goes_on_when_there_is_room(shell, small_disk):
    (shell.cwd / "filler.py").write_text(
        "import hydra, os\n"
        "@hydra.main(version_base='1.3', config_path=None)\n"
        "def main(cfg):\n"
        "    if cfg.i == 3 and not os.path.exists('go'):\n"
        f"        os.system('dd if=/dev/zero of={small_disk}/fill bs=1k count=9000 2>/dev/null')\n"
        "    return {'square': cfg.i ** 2}\n"
        "if __name__ == '__main__': main()\n"
    )
    root = f"hydra.callbacks.runyard.root={small_disk}"
    done = shell.python("filler.py", "-m", "+runyard=local", "+i=range(8)", root, "hydra.launcher.n_jobs=1")
    assert done.returncode == 1, done.stderr
    assert "No space left" in done.stderr
    assert "runyard resume" in done.stderr
    (small_disk / "fill").unlink()
    (shell.cwd / "go").touch()
    sweep = next(p for p in (small_disk / "filler").iterdir() if p.is_dir() and not p.is_symlink())
    kept = {p.parent.name for p in sweep.glob("*/run.json") if read_json(p)["state"] == "COMPLETED"}
    assert {"0", "1", "2"} <= kept
    shell.runyard("resume", str(sweep), check=0)
    with (sweep / "results.csv").open() as file:
        assert [row["square"] for row in csv.DictReader(file)] == [str(i**2) for i in range(8)]
    assert not list(sweep.rglob("*.tmp"))
