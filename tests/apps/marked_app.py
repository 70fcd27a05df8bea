"""Jobs that leave marks: of the import, and of each attempt's beginning and end. Fails, or hangs, on demand."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import hydra
from hydra.core.config_store import ConfigStore

import runyard

MARKS = Path("marks").absolute()


def mark(name):
    """Leaves an empty file ``name.N``, where N is the first number that is free, and returns N."""
    MARKS.mkdir(exist_ok=True)
    number = 1
    while True:
        try:
            (MARKS / f"{name}.{number}").touch(exist_ok=False)
            return number
        except FileExistsError:
            number += 1


@dataclass
class Config:
    i: int = 0
    sleep_s: float = 0.0
    fail_at: int = -1
    hang_at: int = -1  # the first attempt at this job never ends
    gate_at: int = -1  # this job goes on when there is a file marks/go


ConfigStore.instance().store(name="config", node=Config)
# the command that submits is no worker, and its import does not count
if "SLURM_JOB_ID" in os.environ:
    mark("imported")
IMPORTED_BY = os.getpid()


@hydra.main(version_base="1.3", config_path=None, config_name="config")
def main(cfg):
    attempt = mark(f"begun-{cfg.i}")
    print("printed by", cfg.i)
    if cfg.i == cfg.fail_at:
        raise ValueError("as asked")
    while cfg.i == cfg.gate_at and not (MARKS / "go").exists():
        time.sleep(0.05)
    time.sleep(600 if cfg.i == cfg.hang_at and attempt == 1 else cfg.sleep_s)
    runyard.table("rows").append(a=cfg.i, b="x")
    mark(f"ended-{cfg.i}")
    return {"square": cfg.i**2, "imported_here": int(os.getpid() == IMPORTED_BY)}


if __name__ == "__main__":
    main()
