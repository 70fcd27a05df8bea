"""The configuration of the contest: what can be set, and which values make sense. Reads no file."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from runyard import UsageError


@dataclass
class VariantsConfig:
    """The player-pool variants that lineups are built from.

    Attributes:
        count: Variants in the catalog.
        pct: How far projections are moved: the standard deviation of a variant's projection, in per cent of the
            player's own standard deviation. 0 makes all variants equal.
    """

    count: int = 20
    pct: float = 25.0


@dataclass
class OptimizerConfig:
    """How lineups are chosen.

    Attributes:
        lineups: Lineups to build.
        uniques: Players at least in which two lineups differ, 1 to 8.
        lam: Weight of ownership, in fantasy points: the objective is sum(projection - lam * g(ownership)).
        p0: Ownership, as a part of all lineups, at which g is 1/2.
        alpha: Steepness of g(p) = 1 / (1 + (p0 / p) ** alpha).
        lock: Players, by ID or name, that are in every lineup.
        ban: Players, by ID or name, that are in none.
    """

    lineups: int = 20
    uniques: int = 2
    lam: float = 3.0
    p0: float = 0.2
    alpha: float = 2.0
    lock: list[str] = field(default_factory=list)
    ban: list[str] = field(default_factory=list)


@dataclass
class SamplerConfig:
    """How the field of other entrants is drawn.

    Attributes:
        field_size: Entries in the contest, ours included; None takes the contest's own.
        min_salary: What an entrant spends at least, in dollars.
        skill: Valid lineups that each entrant draws, to enter the one of the highest field projection.
    """

    field_size: int | None = None
    min_salary: int = 47000
    skill: int = 8


@dataclass
class SimConfig:
    """How the contest is played.

    Attributes:
        worlds: How often the night is drawn and the contest paid.
        chunk: Worlds that are in memory at a time, at most. It does not change the result.
        corr_team: Correlation of two teammates' scores.
        corr_rival: The same where the teammates share a position.
        corr_opponent: Correlation of the scores of two opponents in one game.
    """

    worlds: int = 2000
    chunk: int = 250
    corr_team: float = 0.03
    corr_rival: float = -0.1
    corr_opponent: float = 0.08


@dataclass
class ContestConfig:
    """Everything that a run depends on.

    Attributes:
        name: The workload's name.
        slate: Which slate: ``synthetic-<seed>``, which is generated, or the name of a folder in ``slates``.
        slates: Folder with a folder per slate, which holds ``projections.csv`` and ``player_ids.csv``.
        projections: A projections file, in the place of the slate's; together with ``player_ids``.
        player_ids: A player ids file, in the place of the slate's; together with ``projections``.
        contest: Name of the contest.
        contests: YAML file with further contests.
        seed: Seed of variants, field and worlds. The optimizer is deterministic.
        tag: A word for the manifest.
        variants: See `VariantsConfig`.
        optimizer: See `OptimizerConfig`.
        sampler: See `SamplerConfig`.
        sim: See `SimConfig`.
    """

    name: str = "contest"
    slate: str = "synthetic-0"
    slates: str = "data/slates"
    projections: str | None = None
    player_ids: str | None = None
    contest: str = "DK_MME_20"
    contests: str | None = None
    seed: int = 0
    tag: str = ""
    variants: VariantsConfig = field(default_factory=VariantsConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    sampler: SamplerConfig = field(default_factory=SamplerConfig)
    sim: SimConfig = field(default_factory=SimConfig)


#: whole numbers: key, lowest, highest.
_WHOLE: tuple[tuple[str, int, int | None], ...] = (
    ("seed", 0, None),
    ("variants.count", 1, 10_000),
    ("optimizer.lineups", 1, 150),
    ("optimizer.uniques", 1, 8),
    ("sampler.field_size", 2, 1_000_000),
    ("sampler.min_salary", 0, 50_000),
    ("sampler.skill", 1, 100),
    ("sim.worlds", 2, 10_000_000),
    ("sim.chunk", 1, 100_000),
)

#: numbers: key, lowest, highest.
_REAL: tuple[tuple[str, float, float], ...] = (
    ("variants.pct", 0.0, 1000.0),
    ("optimizer.lam", 0.0, 1e6),
    ("optimizer.p0", 1e-6, 1.0),
    ("optimizer.alpha", 0.0, 100.0),
    ("sim.corr_team", -1.0, 1.0),
    ("sim.corr_rival", -1.0, 1.0),
    ("sim.corr_opponent", -1.0, 1.0),
)

_FOLDER = re.compile(r"\w[\w.-]*")
_MAY_BE_NONE = ("sampler.field_size",)


def settled(cfg: Any) -> ContestConfig:
    """A plain copy of a configuration, which may be an OmegaConf node of the schema."""
    from omegaconf import OmegaConf

    node = cfg if OmegaConf.is_config(cfg) else OmegaConf.structured(cfg)
    plain = OmegaConf.to_object(node)
    if not isinstance(plain, ContestConfig):
        raise UsageError("this is no configuration of the contest", where="workload", todo="choose workload=contest")
    return plain


def validate(cfg: ContestConfig) -> None:
    """Checks every field that can be checked without reading a file.

    Raises:
        UsageError: a value makes no sense; it names the key, and what would.
    """
    for key, low, high in _WHOLE:
        _check_whole(key, _at(cfg, key), low, high)
    for key, least, most in _REAL:
        _check_real(key, _at(cfg, key), least, most)
    if (cfg.projections is None) != (cfg.player_ids is None):
        raise _error("projections", "projections and player_ids come together", "give both files, or neither")
    if not _FOLDER.fullmatch(cfg.slate):
        raise _error("slate", f"{cfg.slate!r} cannot be a slate's name", "use letters, digits, '.', '_' and '-'")
    if not cfg.contest.strip():
        raise _error("contest", "contest is empty", "name one")
    for key in ("optimizer.lock", "optimizer.ban"):
        _check_players(key, _at(cfg, key))
    both = set(cfg.optimizer.lock) & set(cfg.optimizer.ban)
    if both:
        raise _error("optimizer.lock", f"{sorted(both)[0]} is locked and banned", "take it out of one of the two")
    if len(cfg.optimizer.lock) > 8:
        raise _error("optimizer.lock", f"{len(cfg.optimizer.lock)} players are locked", "lock at most 8")


def _at(cfg: ContestConfig, key: str) -> Any:
    value: Any = cfg
    for part in key.split("."):
        value = getattr(value, part)
    return value


def _check_whole(key: str, value: Any, low: int, high: int | None) -> None:
    if value is None and key in _MAY_BE_NONE:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < low or (high is not None and value > high):
        allowed = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise _error(key, f"{key} must be a whole number {allowed}, not {value!r}", "use one in this range")


def _check_real(key: str, value: Any, low: float, high: float) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low <= value <= high:
        raise _error(key, f"{key} must be a number from {low:g} to {high:g}, not {value!r}", "use one in this range")


def _check_players(key: str, value: Any) -> None:
    texts = isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(v, str) for v in value)
    if not texts or len(set(value)) < len(value):
        raise _error(key, f"{key} must be a list of different players, not {value!r}", "give IDs or names, as texts")


def _error(key: str, problem: str, todo: str) -> UsageError:
    return UsageError(problem, where=f"workload.{key}", todo=todo)
