from __future__ import annotations

import csv
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from app.workloads.arena import ArenaConfig, train
from runyard import UsageError, checkpoint
from runyard.testing import active_run

RESULTS = ("policy.npz", "curve.csv")


class Stopped(Exception):
    """Stands for the end of a process."""


def stop_at(number: int) -> Callable[[int], None]:
    """A callback that stops a training right after its checkpoint of that number, from 1."""
    count = itertools.count(1)

    def on_checkpoint(agent_step: int) -> None:
        if next(count) == number:
            raise Stopped(agent_step)

    return on_checkpoint


def results(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in RESULTS}


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Path]:
    """New folders, one after the other."""

    def make() -> Iterator[Path]:
        for number in itertools.count():
            folder = tmp_path / str(number)
            folder.mkdir()
            yield folder

    return make()


def test_the_same_seed_gives_the_same_bytes(small: ArenaConfig, folders: Iterator[Path]) -> None:
    one, other = next(folders), next(folders)
    train(small, one)
    train(small, other)
    assert results(one) == results(other)


def test_another_seed_gives_another_policy_and_curve(small: ArenaConfig, folders: Iterator[Path]) -> None:
    one, other = next(folders), next(folders)
    train(small, one)
    train(replace(small, seed=4), other)
    assert all(results(one)[name] != results(other)[name] for name in RESULTS)


def test_the_curve_has_a_row_per_episode_and_the_metrics_follow_from_it(small: ArenaConfig, tmp_path: Path) -> None:
    ticks = itertools.count(step=0.5)
    metrics = train(small, tmp_path, clock_s=lambda: next(ticks))
    with (tmp_path / "curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["agent_step"] for row in rows] == ["1600", "3200", "4800", "6400"]
    assert list(rows[0]) == ["agent_step", "reward"]
    assert metrics.keys() == {"agent_step", "reward_final", "train_s"}
    assert metrics["agent_step"] == 6400
    assert metrics["reward_final"] == float(rows[-1]["reward"])
    assert metrics["train_s"] > 0


def test_a_budget_that_is_no_multiple_of_anything_is_rounded_up_to_a_step_of_the_world(
    small: ArenaConfig, tmp_path: Path
) -> None:
    metrics = train(replace(small, total_timesteps=2001), tmp_path)
    assert metrics["agent_step"] == 2016


@pytest.mark.parametrize("stops", [[1], [2], [7], [3, 1, 2]])
def test_a_stopped_training_ends_with_the_bytes_of_one_that_was_not(
    small: ArenaConfig, folders: Iterator[Path], stops: list[int]
) -> None:
    whole, broken = next(folders), next(folders)
    expected = train(small, whole)
    for number in stops:
        with pytest.raises(Stopped):
            train(small, broken, on_checkpoint=stop_at(number))
        assert not (broken / "policy.npz").exists()
    metrics = train(small, broken)
    assert results(broken) == results(whole)
    assert metrics | {"train_s": 0} == expected | {"train_s": 0}


def test_at_the_checkpoint_signal_a_training_saves_what_it_has_and_ends(
    small: ArenaConfig, folders: Iterator[Path]
) -> None:
    whole, broken = next(folders), next(folders)
    expected = train(small, whole)

    def signal_itself(agent_step: int) -> None:
        os.kill(os.getpid(), signal.SIGUSR2)

    with active_run(broken), pytest.raises(checkpoint.Requeue, match="saved at agent step 2000"):
        train(replace(small, checkpoint_every=1600), broken, on_checkpoint=signal_itself)  # at 1600
    assert not (broken / "policy.npz").exists()
    seen: list[int] = []
    with active_run(broken, attempt=2):
        metrics = train(replace(small, checkpoint_every=400), broken, on_checkpoint=seen.append)
    assert seen[0] == 2400
    assert results(broken) == results(whole)
    assert metrics | {"train_s": 0} == expected | {"train_s": 0}


def test_a_resumed_training_does_only_what_was_left(small: ArenaConfig, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        train(small, tmp_path, on_checkpoint=stop_at(3))
    seen: list[int] = []
    train(small, tmp_path, on_checkpoint=seen.append)
    assert seen[0] == 3200


def test_a_training_that_was_done_is_not_repeated(small: ArenaConfig, tmp_path: Path) -> None:
    first = train(small, tmp_path)
    before = results(tmp_path)
    seen: list[int] = []
    assert train(small, tmp_path, on_checkpoint=seen.append)["agent_step"] == first["agent_step"]
    assert seen == []
    assert results(tmp_path) == before


@pytest.mark.parametrize("every", [400, 1000, 1600, 2500])
def test_no_more_steps_are_ever_unsaved_than_the_interval_allows(
    small: ArenaConfig, tmp_path: Path, every: int
) -> None:
    saved = [0]
    metrics = train(replace(small, checkpoint_every=every), tmp_path, on_checkpoint=saved.append)
    gaps = np.diff([*saved, metrics["agent_step"]])
    assert gaps.max() <= every


def test_the_interval_of_checkpoints_does_not_change_the_result(small: ArenaConfig, folders: Iterator[Path]) -> None:
    one, other = next(folders), next(folders)
    train(small, one)
    train(replace(small, checkpoint_every=6400), other)
    assert results(one) == results(other)


def test_seconds_add_up_over_attempts(small: ArenaConfig, tmp_path: Path) -> None:
    slow = itertools.count(step=100.0)
    with pytest.raises(Stopped):
        train(small, tmp_path, on_checkpoint=stop_at(2), clock_s=lambda: next(slow))
    metrics = train(small, tmp_path, clock_s=lambda: 0.0)
    assert metrics["train_s"] == 200.0  # the first attempt's clock at its second checkpoint


def test_a_checkpoint_of_another_configuration_is_refused(small: ArenaConfig, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        train(small, tmp_path, on_checkpoint=stop_at(1))
    with pytest.raises(UsageError, match="another configuration"):
        train(replace(small, seed=4), tmp_path)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04 cut off"])
def test_a_damaged_checkpoint_is_an_error_that_names_it(small: ArenaConfig, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "checkpoint.npz").write_bytes(content)
    with pytest.raises(UsageError, match=r"checkpoint\.npz"):
        train(small, tmp_path)


def test_a_budget_below_one_episode_is_refused_before_anything_is_written(small: ArenaConfig, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="total_timesteps"):
        train(replace(small, total_timesteps=1599), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_half_written_checkpoint_of_a_killed_process_is_removed_and_ignored(
    small: ArenaConfig, folders: Iterator[Path]
) -> None:
    whole, broken = next(folders), next(folders)
    train(small, whole)
    (broken / ".checkpoint.npz.123-abcdef.tmp").write_bytes(b"half")
    train(small, broken)
    assert results(broken) == results(whole)
    assert {path.name for path in broken.iterdir()} == {"checkpoint.npz", "policy.npz", "curve.csv"}


def test_a_killed_process_loses_nothing_but_time(small: ArenaConfig, folders: Iterator[Path]) -> None:
    cfg = replace(small, num_envs=64, total_timesteps=400_000, checkpoint_every=3200)
    whole, broken = next(folders), next(folders)
    train(replace(cfg, checkpoint_every=400_000), whole)
    code = (
        "import json, sys; from pathlib import Path; from app.workloads.arena import ArenaConfig, train; "
        f"train(ArenaConfig(**{asdict(cfg)!r}), Path(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", code, str(broken)], env=environment) as process:
        deadline = time.monotonic() + 60
        while not (broken / "checkpoint.npz").exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (broken / "policy.npz").exists()
    train(cfg, broken)
    assert results(broken) == results(whole)
