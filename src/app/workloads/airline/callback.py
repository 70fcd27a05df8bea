"""A callback of Hydra's own: when a sweep of the experiment ends, its trials are gathered."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from .gather import gather

_log = logging.getLogger(__name__)


class GatherTrials(Callback):
    """Writes ``trials.jsonl`` and ``asr.csv`` at the end of a multirun; Hydra turns what it raises into a warning."""

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:  # noqa: D102
        gathered = gather(Path(str(config.hydra.sweep.dir)))
        for sentence in gathered.left_out:
            _log.warning("%s", sentence)
        _log.info("attack success rate with Wilson's intervals: %s", gathered.asr)
