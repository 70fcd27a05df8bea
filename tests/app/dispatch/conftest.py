from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from app.workloads.dispatch.jobs import Jobs, read_jobs

HEADER = "platform_order_time,sender_lat,sender_lng,recipient_lat,recipient_lng"


@pytest.fixture
def fixture_csv() -> Path:
    return Path(__file__).with_name("fixture.csv")


@pytest.fixture
def fixture_jobs(fixture_csv: Path) -> Jobs:
    return read_jobs(fixture_csv, "platform_order_time")


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[..., Path]:
    """Writes a jobs file from its rows as text."""

    def write(rows: Sequence[str], header: str = HEADER, name: str = "jobs.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def make_jobs() -> Callable[..., Jobs]:
    """Random jobs in the order of time; on a lattice many quantities tie exactly."""

    def make(seed: int, n: int, *, horizon_s: int = 60, lattice: int | None = None) -> Jobs:
        rng = np.random.default_rng(seed)
        points = rng.integers(0, lattice, (n, 4)).astype(float) if lattice else rng.uniform(0, 1, (n, 4))
        return Jobs(
            time_us=np.sort(rng.integers(0, horizon_s, n)) * 1_000_000,
            origin=points[:, :2],
            destination=points[:, 2:],
            skipped_rows=0,
            sha256="",
        )

    return make
