"""Jobs of two stages, each of which tells where it ran."""

import os
from dataclasses import dataclass

import hydra
from hydra.core.config_store import ConfigStore

import runyard


@dataclass
class Config:
    x: int = 0


ConfigStore.instance().store(name="config", node=Config)


@hydra.main(version_base="1.3", config_path=None, config_name="config")
def main(cfg):
    def stage(folder):
        print(folder.name, "on", os.environ.get("SLURM_JOB_PARTITION", "this machine"))
        return {f"{folder.name}ed": cfg.x}

    return {**runyard.run_stage("train", stage), **runyard.run_stage("evaluate", stage)}


if __name__ == "__main__":
    main()
