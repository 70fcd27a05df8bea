"""Short jobs that leave a mark when they begin and one when they are about to return."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import hydra
from hydra.core.config_store import ConfigStore


@dataclass
class Config:
    i: int = 0
    sleep_s: float = 0.0
    marks: str = "marks"
    ignore_term: bool = False
    fail_first: int = 0


ConfigStore.instance().store(name="config", node=Config)


def mark(cfg, name):
    folder = Path(cfg.marks)
    folder.mkdir(exist_ok=True)
    number = 1
    while True:
        try:
            (folder / f"{cfg.i}.{name}.{number}").touch(exist_ok=False)
            return number
        except FileExistsError:
            number += 1


@hydra.main(version_base="1.3", config_path=None, config_name="config")
def main(cfg):
    attempt = mark(cfg, "begun")
    if cfg.ignore_term:
        import signal

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if attempt <= cfg.fail_first:
        raise ConnectionError(f"attempt {attempt}")
    time.sleep(cfg.sleep_s)
    print("pid", os.getpid())
    return {"square": cfg.i**2}


if __name__ == "__main__":
    main()
