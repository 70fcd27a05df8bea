"""An application whose whole task is its config's ``stages``: ``python -m runyard.pipeline --config-dir DIR ...``."""

from __future__ import annotations

from typing import Any

import hydra

from runyard.pipeline.running import run_stages


@hydra.main(version_base="1.3", config_path=None)
def main(cfg: Any) -> dict[str, Any]:
    """Runs the stages of the config and returns their metrics."""
    return run_stages(cfg)


if __name__ == "__main__":
    main()
