"""An application that knows nothing of the launcher: of 12 jobs six go wrong, each in its own way."""

import ctypes
import os
import subprocess
import sys
import time
from dataclasses import dataclass

import hydra
from hydra.core.config_store import ConfigStore


@dataclass
class Config:
    i: int = 0


class CannotBeUnpickled(Exception):
    def __init__(self, left, right):
        super().__init__(f"{left} and {right}")


ConfigStore.instance().store(name="config", node=Config)


@hydra.main(version_base="1.3", config_path=None, config_name="config")
def main(cfg):
    if cfg.i == 1:
        raise ValueError("one raises")
    if cfg.i == 2:
        raise CannotBeUnpickled("left", "right")
    if cfg.i == 3:
        sys.exit(3)
    if cfg.i == 4:
        os._exit(4)
    if cfg.i == 5:
        ctypes.string_at(0)
    if cfg.i == 6:
        subprocess.Popen(["sleep", "1000"])
        subprocess.Popen(["sleep", "1000"], start_new_session=True)
        time.sleep(1000)
    return {"square": cfg.i**2}


if __name__ == "__main__":
    main()
