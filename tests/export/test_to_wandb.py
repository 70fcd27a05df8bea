from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wandb.proto import wandb_internal_pb2

from runyard.export import export_wandb

BLOCK, HEADER = 32768, 7


def scanned(path: Path) -> Iterator[bytes]:
    """The records of a run file: a head of seven bytes, then the log format of LevelDB."""
    content, at, whole = path.read_bytes(), HEADER, b""
    while at + HEADER <= len(content):
        left = BLOCK - at % BLOCK
        if left < HEADER:  # the rest of a block is too small for a head, and is filled up
            at += left
            continue
        length, kind = struct.unpack_from("<HB", content, at + 4)
        whole += content[at + HEADER : at + HEADER + length]
        at += HEADER + length
        if kind in (1, 4):  # a whole record, or the last part of one
            yield whole
            whole = b""


def records(sweep_dir: Path, job: int) -> list[Any]:
    """What one job's run file says, read with the library's own reader."""
    found = {}
    for path in sorted((sweep_dir / "wandb").glob("offline-run-*/run-*.wandb")):
        read = []
        for data in scanned(path):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            read.append(record)
        run = next(record.run for record in read if record.WhichOneof("record_type") == "run")
        found[run.display_name] = read
    return found[f"{sweep_dir.name}/{job}"]


def of_kind(read: list[Any], kind: str) -> list[Any]:
    return [getattr(record, kind) for record in read if record.WhichOneof("record_type") == kind]


def test_each_job_is_an_offline_run_of_the_sweeps_group(sweep_dir: Path) -> None:
    done = export_wandb(sweep_dir)
    assert (done.written, done.left_out) == ((0, 1, 2, 3), (4,))
    read = records(sweep_dir, 2)
    run = of_kind(read, "run")[0]
    assert (run.project, run.run_group, run.notes) == ("mnist", sweep_dir.name, "a note")
    config = {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in run.config.update}
    assert (config["model.lr"], config["opt"], config["db.password"]) == (0.2, "adam", "***")
    assert config["runyard"]["state"] == "COMPLETED"
    assert [exit_.exit_code for job in range(4) for exit_ in of_kind(records(sweep_dir, job), "exit")] == [0, 1, 0, 1]


def test_metrics_are_the_summary_and_rows_that_count_steps_the_history(sweep_dir: Path) -> None:
    export_wandb(sweep_dir)
    read = records(sweep_dir, 0)
    summary = {item.key or item.nested_key[0]: item.value_json for s in of_kind(read, "summary") for item in s.update}
    assert json.loads(summary["acc"]) == 0.5
    rows = [{i.key or i.nested_key[0]: i.value_json for i in h.item} for h in of_kind(read, "history")]
    losses = [json.loads(row["curve/loss"]) for row in rows if "curve/loss" in row]
    assert losses == [1 / (n + 1) for n in range(5)]


def test_exporting_again_replaces_its_own_folders(sweep_dir: Path, tmp_path: Path) -> None:
    for _ in range(2):
        done = export_wandb(sweep_dir, out=tmp_path / "out", project="other")
    assert len(list((tmp_path / "out" / "wandb").glob("offline-run-*"))) == 4
    assert done.place == str(tmp_path / "out" / "wandb")
    assert not (sweep_dir / "wandb").exists()
