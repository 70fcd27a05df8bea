"""Structured configs and resolvers that generated cases use; stored once in a process."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Optional, Union

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from .conftest import register


class Color(Enum):
    RED = 1
    BLUE = 2


@dataclass
class Optimizer:
    name: str = "adam"
    lr: float = 0.1
    betas: list[float] = field(default_factory=lambda: [0.9, 0.99])


@dataclass
class Small:
    seed: int = 3
    free: Any = None


@dataclass
class Full:
    seed: int = 1
    color: Color = Color.RED
    folder: Path = Path("a/b")
    raw: bytes = b"x"
    needed: int = MISSING
    maybe: Optional[int] = None  # noqa: UP045 - OmegaConf on Python 3.10 reads this form only
    either: Union[int, str] = 1  # noqa: UP007 - as above
    optimizer: Optimizer = field(default_factory=Optimizer)
    later: Optimizer = MISSING
    none: Optional[Optimizer] = None  # noqa: UP045 - as above
    free: Any = None
    table: dict[str, int] = field(default_factory=dict)
    by_color: dict[Color, int] = field(default_factory=dict)
    by_number: dict[int, str] = field(default_factory=lambda: {1: "one"})
    twice: str = "${.seed}${.seed}"


@dataclass
class Rooted(Full):
    typed: Any = None
    defaults: list[Any] = field(default_factory=lambda: ["_self_", {"typed": "small"}])


def store_typed() -> None:
    store = ConfigStore.instance()
    store.store(group="typed", name="full", node=Full)
    store.store(group="typed", name="small", node=Small)
    store.store(name="rooted", node=Rooted)
    register("doubled", lambda value: f"{value}{value}")
    register("joined", lambda *values: "-".join(map(str, values)))
    register("kept", lambda value: f"kept {value}", use_cache=True)
