"""Metrics, rows and a data frame; fails or exits on demand. Knows the public functions."""

import sys
from dataclasses import dataclass

import hydra
import pandas as pd
from hydra.core.config_store import ConfigStore

import runyard


@dataclass
class Config:
    i: int = 0
    seed: int = 7
    api_key: str = "hush-hush"
    fail_at: int = -1
    exit_at: int = -1


ConfigStore.instance().store(name="config", node=Config)


@hydra.main(version_base="1.3", config_path=None, config_name="config")
def main(cfg):
    if cfg.i == cfg.fail_at:
        raise ValueError("as asked")
    if cfg.i == cfg.exit_at:
        sys.exit(5)
    runyard.table("rows").append(a=cfg.i, b="x")
    return {"square": cfg.i**2, "half": cfg.i / 2, "frame": pd.DataFrame({"c": [cfg.i, cfg.i + 1]})}


if __name__ == "__main__":
    main()
