"""How much is measured: everything (full), enough to try the machine (quick), or next to nothing (tiny, for tests)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: rounds by contender; a contender that is not named is not measured there.
Rounds = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One load for launchers: so many jobs of an application, and in how many rounds each contender runs them."""

    app: str
    jobs: int
    rounds: Rounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The sizes of all benchmarks. ``name`` is ``full``, ``quick`` or ``tiny``; only a full run is judged."""

    name: str
    loads: tuple[Load, ...]
    first_jobs: int
    first_rounds: Rounds
    memory_jobs: tuple[int, int]
    memory_rounds: int
    peer_memory_jobs: tuple[int, int]
    compose_points: int
    compose_peer_points: int
    compose_rounds: int
    resume_jobs: int
    resume_rounds: int
    startup_rounds: int
    second_jobs: int
    second_s: float
    second_rounds: Rounds
    cost_jobs: int
    cost_rounds: int
    floor_times: int
    floor_rounds: int
    scale_points: int
    scale_probe: int
    slurm_jobs: int
    slurm_s: float
    slurm_rounds: int
    slurm_peer_jobs: int
    slurm_submit_jobs: int
    report_seeds: int
    report_rounds: int
    serve_jobs: int
    serve_s: float
    serve_clients: int
    serve_rounds: int
    scale_limit_s: float = 1200.0
    imports: tuple[str, ...] = field(default=("scipy.stats", "pandas", "matplotlib.pyplot"))


_QUICK_ROUNDS = {"ours": 2, "spawn": 1, "basic": 1, "joblib": 1, "submitit": 1, "ray": 1}

FULL = Sizes(
    name="full",
    loads=(
        Load(app="trivial", jobs=100, rounds={"ours": 5, "spawn": 2, "basic": 3, "joblib": 3, "submitit": 1, "ray": 1}),
        Load(app="trivial", jobs=1000, rounds={"ours": 5, "basic": 2, "joblib": 2, "ray": 1}),
        Load(app="large", jobs=100, rounds={"ours": 5, "spawn": 1, "basic": 2, "joblib": 2, "submitit": 1}),
        Load(app="large", jobs=1000, rounds={"ours": 3, "basic": 1}),
        Load(app="heavy", jobs=100, rounds={"ours": 3, "spawn": 1, "basic": 1, "joblib": 1}),
    ),
    first_jobs=10_000,
    first_rounds={"ours": 5},
    memory_jobs=(1000, 20_000),
    memory_rounds=1,
    peer_memory_jobs=(100, 1000),
    compose_points=2000,
    compose_peer_points=20,
    compose_rounds=5,
    resume_jobs=10_000,
    resume_rounds=5,
    startup_rounds=20,
    second_jobs=60,
    second_s=1.0,
    second_rounds={"ours": 5, "joblib": 1},
    cost_jobs=1000,
    cost_rounds=3,
    floor_times=1000,
    floor_rounds=5,
    scale_points=100_000,
    scale_probe=2000,
    slurm_jobs=500,
    slurm_s=0.1,
    slurm_rounds=3,
    slurm_peer_jobs=100,
    slurm_submit_jobs=10_000,
    report_seeds=5,
    report_rounds=5,
    serve_jobs=500,
    serve_s=0.1,
    serve_clients=50,
    serve_rounds=5,
)

QUICK = Sizes(
    name="quick",
    loads=(
        Load(app="trivial", jobs=20, rounds=_QUICK_ROUNDS),
        Load(app="trivial", jobs=200, rounds={"ours": 2, "basic": 1, "joblib": 1}),
        Load(app="large", jobs=20, rounds=_QUICK_ROUNDS),
        Load(app="heavy", jobs=10, rounds={"ours": 1, "spawn": 1, "basic": 1, "joblib": 1}),
    ),
    first_jobs=1000,
    first_rounds={"ours": 2, "basic": 1},
    memory_jobs=(100, 500),
    memory_rounds=1,
    peer_memory_jobs=(20, 60),
    compose_points=300,
    compose_peer_points=10,
    compose_rounds=2,
    resume_jobs=300,
    resume_rounds=2,
    startup_rounds=5,
    second_jobs=12,
    second_s=0.25,
    second_rounds={"ours": 1, "spawn": 1, "joblib": 1},
    cost_jobs=300,
    cost_rounds=1,
    floor_times=200,
    floor_rounds=2,
    scale_points=2000,
    scale_probe=200,
    slurm_jobs=100,
    slurm_s=0.1,
    slurm_rounds=1,
    slurm_peer_jobs=20,
    slurm_submit_jobs=1_000,
    report_seeds=2,
    report_rounds=2,
    serve_jobs=40,
    serve_s=0.1,
    serve_clients=10,
    serve_rounds=1,
    scale_limit_s=60.0,
)

TINY = Sizes(
    name="tiny",
    loads=(Load(app="large", jobs=2, rounds={"ours": 1, "basic": 1}),),
    first_jobs=3,
    first_rounds={"ours": 1},
    memory_jobs=(2, 4),
    memory_rounds=1,
    peer_memory_jobs=(1, 2),
    compose_points=3,
    compose_peer_points=2,
    compose_rounds=1,
    resume_jobs=2,
    resume_rounds=1,
    startup_rounds=1,
    second_jobs=4,
    second_s=0.01,
    second_rounds={"ours": 1},
    cost_jobs=3,
    cost_rounds=1,
    floor_times=3,
    floor_rounds=1,
    scale_points=4,
    scale_probe=2,
    slurm_jobs=4,
    slurm_s=0.01,
    slurm_rounds=1,
    slurm_peer_jobs=2,
    slurm_submit_jobs=6,
    report_seeds=1,
    report_rounds=1,
    serve_jobs=4,
    serve_s=0.01,
    serve_clients=2,
    serve_rounds=1,
    scale_limit_s=60.0,
    imports=("json",),
)

SIZES = {sizes.name: sizes for sizes in (FULL, QUICK, TINY)}
