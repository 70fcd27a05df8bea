"""``python -m app``: composes a config, runs its workload, returns the metrics."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import hydra
from omegaconf import DictConfig

import runyard
from app.config import register
from app.workloads import workload

register()


@hydra.main(version_base="1.3", config_path="../../conf", config_name="config")
def main(cfg: DictConfig) -> Mapping[str, Any]:
    """Runs one job."""
    return workload(cfg.workload.name).run(cfg.workload)


if __name__ == "__main__":
    sys.exit(runyard.run_application(main))
