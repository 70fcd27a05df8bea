"""The application's structured configs, and the check of a job's config before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING, DictConfig, OmegaConf

from app.workloads.airline.config import AirlineConfig
from app.workloads.airline.label import label, note
from app.workloads.arena.config import ArenaConfig
from app.workloads.burgers.config import BurgersConfig
from app.workloads.contest.config import ContestConfig
from app.workloads.dispatch.config import DispatchConfig


@dataclass
class AppConfig:
    """The whole config: one workload with its parameters."""

    workload: Any = MISSING


def register() -> None:
    """Puts the schemas, and the functions that config files call, where ``conf/`` refers to them."""
    store = ConfigStore.instance()
    store.store(name="app_schema", node=AppConfig)
    store.store(group="workload", name="dispatch_schema", node=DispatchConfig)
    store.store(group="workload", name="arena_schema", node=ArenaConfig)
    store.store(group="workload", name="airline_schema", node=AirlineConfig)
    store.store(group="workload", name="burgers_schema", node=BurgersConfig)
    store.store(group="workload", name="contest_schema", node=ContestConfig)
    OmegaConf.register_new_resolver("airline.label", label, replace=True, use_cache=True)
    OmegaConf.register_new_resolver("airline.note", note, replace=True, use_cache=True)


def validate(cfg: DictConfig) -> None:
    """Checks a job's config, and that its input files can be read.

    Raises:
        runyard.UsageError: what is wrong, where, and what to do.
    """
    from app.workloads import workload

    workload(cfg.workload.name).check(cfg.workload)
