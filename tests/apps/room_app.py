"""Jobs of many fates, which say in one file when they begin and end: ``i kind time``. Some fail at first, or always."""

import os
import signal
import time
from dataclasses import dataclass

import hydra
from hydra.core.config_store import ConfigStore


@dataclass
class Config:
    i: int = 0
    sleep_s: float = 0.0


ConfigStore.instance().store(name="config", node=Config)


def say(i, kind):
    with open("said", "a") as file:
        file.write(f"{i} {kind} {time.monotonic()}\n")


@hydra.main(version_base="1.3", config_path=None, config_name="config")
def main(cfg):
    say(cfg.i, "begin")
    first = os.environ["RUNYARD_ATTEMPT"] == "1"
    time.sleep(cfg.sleep_s + cfg.i % 3 * 0.01)
    say(cfg.i, "end")
    if cfg.i % 5 == 3 and first:
        raise ConnectionError("at first")
    if cfg.i % 7 == 6:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"square": cfg.i**2}


if __name__ == "__main__":
    main()
