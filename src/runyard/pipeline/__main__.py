"""An application whose whole task is its config's ``stages``: ``python -m runyard.pipeline --config-dir DIR ...``."""

from __future__ import annotations

from typing import Any

import hydra

from runyard.pipeline.running import run_stages


def _task(cfg: Any) -> dict[str, Any]:
    """Runs the stages of the config and returns their metrics."""
    return run_stages(cfg)


_task.__module__ = "runyard.pipeline"  # Hydra calls the job by its last part; else it would be __main__
main = hydra.main(version_base="1.3", config_path=None)(_task)

if __name__ == "__main__":
    main()
