"""Imports what takes long to import, and uses all of it; tells which process imported it."""

import os
from pathlib import Path

import hydra
import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from hydra.core.hydra_config import HydraConfig
from scipy import linalg, optimize

IMPORTED_BY = os.getpid()
CALLS = []

marks = Path(os.environ["APP_MARKS"])
marks.mkdir(exist_ok=True)
(marks / f"imported.{IMPORTED_BY}").touch()


@hydra.main(version_base="1.3", config_path=None)
def main(cfg):
    CALLS.append(cfg.n)
    matrix = np.random.default_rng(0).normal(size=(cfg.n, cfg.n))
    inverse = linalg.inv(matrix @ matrix.T + np.eye(cfg.n))
    root = optimize.brentq(lambda x: x**2 - cfg.n, 0, cfg.n)
    frame = pd.DataFrame({"k": np.arange(cfg.n) % 3, "v": np.arange(cfg.n)}).groupby("k").sum()
    figure, axes = plt.subplots()
    axes.plot(inverse.diagonal())
    figure.savefig(Path(HydraConfig.get().runtime.output_dir) / "diagonal.png")
    return {
        "root": root,
        "trace": float(inverse.trace()),
        "sum": int(frame["v"].sum()),
        "calls": len(CALLS),
        "figures": len(plt.get_fignums()),
        "imports_here": int(os.getpid() == IMPORTED_BY),
    }


if __name__ == "__main__":
    main()
