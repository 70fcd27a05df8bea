"""Tells in what surroundings it was imported and run. By its environment it starts a thread, fails or ends early."""

import json
import logging
import os
import sys
import threading
import time
from pathlib import Path

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobRuntime
from hydra.experimental.callback import Callback

JOB = os.environ.get("RUNYARD_JOB", "controller")
AT_IMPORT = {
    "pid": os.getpid(),
    "job": JOB,
    "devices": os.environ.get("CUDA_VISIBLE_DEVICES"),
    "threads": os.environ.get("OMP_NUM_THREADS"),
}
CALLS = []

if os.environ.get("APP_THREAD"):
    threading.Thread(target=time.sleep, args=[600], daemon=True, name="poller").start()
if os.environ.get("APP_FAILS_IN") == JOB:
    raise ImportError("as asked")
if os.environ.get("APP_ENDS_IN") == JOB:
    sys.exit(0)


class CountingCallback(Callback):
    def __init__(self):
        self.starts = 0

    def on_multirun_start(self, config, **kwargs):
        self.starts += 1

    def on_job_start(self, config, **kwargs):
        CALLS.append(self.starts)


ConfigStore.instance().store(
    name="config",
    node={
        "i": 0,
        "do": "tell",
        "hydra": {"callbacks": {"counting": {"_target_": "__main__.CountingCallback"}}},
    },
)


def tell():
    return {
        "at_import": AT_IMPORT,
        "pid": os.getpid(),
        "calls": list(CALLS),
        "cwd": os.getcwd(),
        "argv": sys.argv,
        "name": __name__,
        "main": getattr(sys.modules["__main__"], "__file__", None),
        "optimize": sys.flags.optimize,
        "left": os.environ.get("APP_LEFT"),
        "level": logging.getLogger().level,
        "handlers": len(logging.getLogger().handlers),
        "hydra": GlobalHydra.instance().is_initialized(),
        "runtime": JobRuntime.instance().get("name"),
        "threads": [t.name for t in threading.enumerate()],
    }


@hydra.main(version_base="1.3", config_path=None, config_name="config")
def main(cfg):
    folder = Path(HydraConfig.get().runtime.output_dir)
    (folder / "seen.json").write_text(json.dumps(tell()))
    print("printed by the task")
    logging.getLogger("app").info("logged by the task")
    if cfg.do == "leave":
        os.environ["APP_LEFT"] = "x"
        os.chdir("/")
        logging.getLogger().setLevel(logging.CRITICAL)
    if cfg.do == "debug":
        breakpoint()
    if cfg.do == "wait":
        (folder / "waits").touch()
        time.sleep(600)
    if cfg.do == "swallow":
        (folder / "waits").touch()
        try:
            time.sleep(600)
        except KeyboardInterrupt:
            return {"square": -1}
    if cfg.do == "fill":
        return {"bytes": len(bytearray(3_000_000_000))}
    return {"square": cfg.i**2}


if __name__ == "__main__":
    main()
    Path(f"after_main.{JOB}").touch()
