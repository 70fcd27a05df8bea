"""A config tree with everything that composing has to get right, and structured configs for an app without one."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Optional

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING


class Color(Enum):
    RED = 1
    BLUE = 2


@dataclass
class Optimizer:
    name: str = "adam"
    lr: float = 0.1
    betas: list[float] = field(default_factory=lambda: [0.9, 0.99])


@dataclass
class Frozen:
    lr: float = 1.0


@dataclass
class Structured:
    seed: int = 1
    color: Color = Color.RED
    folder: Path = Path("a/b")
    raw: bytes = b"x"
    needed: int = MISSING
    maybe: Optional[int] = None  # noqa: UP045 - OmegaConf on Python 3.10 reads this form only
    optimizer: Optimizer = field(default_factory=Optimizer)
    free: Any = None
    table: dict[str, int] = field(default_factory=dict)
    by_color: dict[Color, int] = field(default_factory=dict)
    by_number: dict[int, str] = field(default_factory=lambda: {1: "one"})
    twice: str = "${seed}${seed}"
    solver: Any = None
    defaults: list[Any] = field(default_factory=lambda: ["_self_", {"solver": "fast"}])


def store_structured() -> None:
    store = ConfigStore.instance()
    store.store(name="structured", node=Structured)
    store.store(group="solver", name="fast", node={"name": "fast", "seed": "${seed}"})
    store.store(group="solver", name="exact", node={"name": "exact", "limit": 10})


FILES = {
    "config": """
        defaults:
          - _self_
          - db: mysql
          - model: cnn
          - model/optim@model.opt: adam
          - dataset: small
          - fit: ${dataset}_${model}
          - schedule@warm: linear
          - schedule@cool: cosine
          - optional extra: null
          - optional missing_group: nothing
          - callbacks: [stop, log]
        seed: 1
        lr: 0.1
        name: ${dataset.name}-${model.name}-${seed}
        stamp: ${now:%Y%m%d%H%M%S%f}
        home: ${oc.env:HOME}
        fallback: ${oc.env:NOT_SET_ANYWHERE,default}
        job: ${hydra:job.name}
        needed: ???
        nothing: null
        empty: {}
        numbers: [1, 2, 3]
        deep: {a: {b: {c: 1, d: "${lr}"}}, list: [1, {x: "${seed}"}, [2]]}
        text: "a: 'quoted', \\"value\\" with {braces}"
        copy: ${deep.a}
        dump: ${dumped:${deep}}
        sum: ${oc.create:${deep.list}}
        1: one
        true: yes
        hydra:
          job:
            env_copy: [HOME]
            config: {override_dirname: {exclude_keys: [seed], kv_sep: "-", item_sep: "+"}}
          sweep: {dir: "out/${now:%H%M%S%f}", subdir: "${hydra.job.num}-${hydra.job.override_dirname}"}
    """,
    "flat": "{a: 1, b: {c: 2}}",
    "readonly": """
        defaults: [_self_, {db: mysql}]
        x: 1
    """,
    "mandatory": """
        defaults: [_self_, {db: '???'}]
        x: 1
    """,
    "db/mysql": "{name: mysql, host: localhost, port: 3306, user: null}",
    "db/postgresql": "{name: postgresql, host: localhost, port: 5432, options: {ssl: true}}",
    "db/nested": """
        defaults: [{auth: basic}, _self_]
        name: nested
        host: ${.auth.host}
    """,
    "db/auth/basic": "{kind: basic, host: here}",
    "db/auth/token": "{kind: token, host: there, token: '${oc.env:HOME}'}",
    "model/cnn": "{name: cnn, layers: 3, width: '${dataset.size}'}",
    "model/mlp": """
        # @package model
        name: mlp
        layers: 2
        hidden: [10, 20]
    """,
    "model/optim/adam": "{name: adam, lr: '${lr}', betas: [0.9, 0.999]}",
    "model/optim/sgd": "{name: sgd, lr: '${lr}', momentum: 0.9}",
    "dataset/small": "{name: small, size: 10, path: '/data/${.name}'}",
    "dataset/large": "{name: large, size: 1000, shards: {a: 1, b: 2}}",
    "fit/small_cnn": "{batch: 1}",
    "fit/small_mlp": "{batch: 2}",
    "fit/large_cnn": "{batch: 100}",
    "fit/large_mlp": "{batch: 200}",
    "schedule/linear": "{kind: linear, steps: 10}",
    "schedule/cosine": "{kind: cosine, steps: 20, power: '${lr}'}",
    "extra/one": """
        # @package extras.one
        x: 1
    """,
    "extra/two": """
        # @package _global_
        lr: 0.2
        extras: {two: 2}
    """,
    "callbacks/stop": "{stop: {patience: 3}}",
    "callbacks/log": "{log: {every: 10}}",
    "experiment/big": """
        # @package _global_
        defaults:
          - override /db: postgresql
          - override /dataset: large
          - override /schedule@cool: linear
        seed: 7
        deep: {a: {b: {c: 100}}}
    """,
    "experiment/tuned": """
        # @package _global_
        defaults: [big, {override /model: mlp}]
        lr: 0.001
        hydra: {job: {name: tuned}}
    """,
}


def write_tree(folder: Path) -> None:
    for name, text in FILES.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip())
