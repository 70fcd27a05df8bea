from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.workloads.contest.config import ContestConfig, OptimizerConfig, SamplerConfig, SimConfig, VariantsConfig
from app.workloads.contest.inputs import load_slate
from app.workloads.contest.slate import Slate, read_slate

IDS = "Name,ID,Position,TeamAbbrev,Game Info"
PROJECTIONS = "Name,Position,Team,Salary,FPTS,StdDev,Ceiling,Own%,Minutes,FieldFpts"


@pytest.fixture
def small() -> ContestConfig:
    """Three lineups, a field of sixty, fifty worlds."""
    return ContestConfig(
        variants=VariantsConfig(count=2),
        optimizer=OptimizerConfig(lineups=3),
        sampler=SamplerConfig(field_size=60, skill=1),
        sim=SimConfig(worlds=50, chunk=20),
    )


@pytest.fixture(scope="session")
def slate() -> Slate:
    """The synthetic slate 0."""
    return load_slate(ContestConfig())


@pytest.fixture
def slate_of() -> Callable[..., Slate]:
    """Makes a slate of (name, positions, team, game, salary, projection); ownership 10 %, standard deviation 5."""

    def made(players: list[tuple[str, str, str, str, int, float]]) -> Slate:
        projections = [f"{n},{p},{t},{s},{f},5,{f},10,30,{f}" for n, p, t, _, s, f in players]
        ids = [f"{n},{100 + k},{p},{t},{g} 7PM" for k, (n, p, t, g, _, _) in enumerate(players)]
        texts = ("\n".join([PROJECTIONS, *projections]), "\n".join([IDS, *ids]))
        return read_slate("mine", *texts, where=("projections.csv", "player_ids.csv"))

    return made


@pytest.fixture
def files(tmp_path: Path) -> Callable[[str, str], tuple[Path, Path]]:
    """Writes the two files of a slate named ``night`` below ``slates``."""

    def written(projections: str, player_ids: str) -> tuple[Path, Path]:
        folder = tmp_path / "slates" / "night"
        folder.mkdir(parents=True)
        paths = folder / "projections.csv", folder / "player_ids.csv"
        paths[0].write_text(projections)
        paths[1].write_text(player_ids)
        return paths

    return written
