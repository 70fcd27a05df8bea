from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.workloads.burgers import BurgersConfig, train
from app.workloads.burgers.data import Solutions, split, symmetric_copies
from app.workloads.burgers.encoder import Encoder, fit_encoder
from app.workloads.burgers.model import load_model
from runyard.testing import active_run


def fields(data: Solutions) -> np.ndarray:
    return data.frames.reshape(-1, data.frames.shape[2])


def loss(encoder: Encoder, samples: np.ndarray) -> float:
    return float(((encoder.decode(encoder.encode(samples)) - samples) ** 2).sum())


def test_pod_modes_are_orthonormal_and_lose_the_energy_of_the_singular_values_left_out(data: Solutions) -> None:
    encoder = fit_encoder("pod", fields(data), 6, seed=0)
    assert encoder.down.T @ encoder.down == pytest.approx(np.eye(6), abs=1e-12)
    singular = np.linalg.svd(fields(data), compute_uv=False)
    assert loss(encoder, fields(data)) == pytest.approx((singular[6:] ** 2).sum(), rel=1e-9)


def test_random_features_depend_on_the_seed_and_lose_more_than_pod(data: Solutions) -> None:
    one, other = (fit_encoder("random", fields(data), 6, seed=seed) for seed in (0, 1))
    assert (one.down == fit_encoder("random", fields(data), 6, seed=0).down).all()
    assert (one.down != other.down).any()
    assert loss(fit_encoder("pod", fields(data), 6, seed=0), fields(data)) < loss(one, fields(data))


@pytest.mark.parametrize("kind", ["pod", "random"])
def test_the_encoder_is_stored_with_the_model_and_the_checkpoint_and_read_back_equal(
    small: BurgersConfig, data: Solutions, tmp_path: Path, kind: str
) -> None:
    cfg = replace(small, encoder=kind)
    learned = symmetric_copies(data.frames[split(cfg).training], cfg.copies)
    fitted = fit_encoder(kind, learned.reshape(-1, 64), 6, cfg.seed)
    with active_run(tmp_path):
        train(cfg, data, tmp_path)
    model = load_model(tmp_path / "model.npz")
    with np.load(tmp_path / "checkpoint.npz") as saved:
        for name in ("down", "up"):
            assert (getattr(model.encoder, name) == getattr(fitted, name)).all()
            assert (saved[name] == getattr(fitted, name)).all()
