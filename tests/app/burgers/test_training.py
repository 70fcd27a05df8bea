from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from app.workloads.burgers import BurgersConfig, evaluate, train
from app.workloads.burgers.data import Solutions, split
from runyard import UsageError, checkpoint
from runyard.testing import active_run


class Stopped(Exception):
    """Stands for the end of a process."""


def stop(epoch: int) -> None:
    raise Stopped(epoch)


def new(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


@pytest.mark.parametrize("operator", ["ridge", "mlp", "best"])
def test_every_operator_beats_persistence_on_solutions_it_has_not_seen(
    small: BurgersConfig, data: Solutions, tmp_path: Path, operator: str
) -> None:
    cfg = replace(small, operator=operator, epochs=60)
    with active_run(tmp_path):
        trained = train(cfg, data, tmp_path)
        metrics = evaluate(cfg, data, tmp_path / "model.npz", tmp_path)
    assert np.isfinite(trained["val_nrmse"])
    for name in ("final_nrmse", "nrmse_one_step", "mse", "mae"):
        assert metrics[name] < metrics[f"persistence_{name}"]


def test_the_seed_deals_training_and_validation_but_holds_out_the_same(small: BurgersConfig) -> None:
    one, other = split(small), split(replace(small, seed=1))
    assert (one.held_out == other.held_out).all()
    assert (one.validation != other.validation).any()
    assert sorted([*one.training, *one.validation, *one.held_out]) == list(range(24))


def test_a_training_that_was_stopped_ends_with_the_bytes_of_one_that_was_not(
    small: BurgersConfig, data: Solutions, tmp_path: Path
) -> None:
    whole, broken = new(tmp_path, "whole"), new(tmp_path, "broken")
    with active_run(tmp_path):
        expected = train(small, data, whole)
        with pytest.raises(Stopped):
            train(small, data, broken, on_checkpoint=stop)
        assert not (broken / "model.npz").exists()
        seen: list[int] = []
        assert train(small, data, broken, on_checkpoint=seen.append) == expected
    assert seen[0] == 4
    assert (whole / "model.npz").read_bytes() == (broken / "model.npz").read_bytes()


def test_at_the_checkpoint_signal_a_training_saves_what_it_has_and_ends(
    small: BurgersConfig, data: Solutions, tmp_path: Path
) -> None:
    with active_run(tmp_path), pytest.raises(checkpoint.Requeue, match="saved at epoch 3"):
        train(small, data, tmp_path, on_checkpoint=lambda epoch: os.kill(os.getpid(), signal.SIGUSR2))
    with np.load(tmp_path / "checkpoint.npz") as saved:
        assert saved["epochs"] == 3


def test_a_killed_process_loses_nothing_but_time(small: BurgersConfig, data: Solutions, tmp_path: Path) -> None:
    cfg = replace(small, epochs=600)
    whole, broken = new(tmp_path, "whole"), new(tmp_path, "broken")
    arrays = {"frames": data.frames, "golden": data.golden, "invariants": data.invariants}
    np.savez(tmp_path / "data.npz", **arrays)
    code = (
        "import sys; from pathlib import Path; import numpy as np; from app.workloads.burgers import BurgersConfig, "
        "train; from app.workloads.burgers.data import Solutions; from runyard.testing import active_run\n"
        f"root = Path(sys.argv[1])\nwith active_run(root / 'broken'): train(BurgersConfig(**{asdict(cfg)!r}), "
        "Solutions(**np.load(root / 'data.npz')), root / 'broken')"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=environment) as process:
        deadline = time.monotonic() + 60
        while not (broken / "checkpoint.npz").exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (broken / "model.npz").exists()
    with active_run(tmp_path):
        assert train(cfg, data, broken) == train(cfg, data, whole)
    assert (whole / "model.npz").read_bytes() == (broken / "model.npz").read_bytes()


def test_a_checkpoint_of_another_configuration_is_refused(
    small: BurgersConfig, data: Solutions, tmp_path: Path
) -> None:
    with active_run(tmp_path):
        train(small, data, tmp_path)
        with pytest.raises(UsageError, match="another configuration"):
            train(replace(small, seed=1), data, tmp_path)
