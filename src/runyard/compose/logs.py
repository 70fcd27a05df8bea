"""Logging of a job, set up before its process is forked, as far as jobs have it in common.

Resolving and applying a logging config takes longer than many a job. Of the usual ones only two things are a job's own:
the streams that it writes to, and the name of its log file. The rest is done once.
"""

from __future__ import annotations

import copy
import logging
import os
import sys
from collections.abc import Mapping
from typing import Any

from hydra.core.utils import configure_log
from omegaconf import DictConfig, OmegaConf

from runyard.compose.clone import clone, set_value
from runyard.compose.depends import dependencies, overlap

_PLACE = ("hydra", "job_logging")
_FOLDER = ("hydra", "runtime", "output_dir")
#: what is known of a job only when it is one.
_A_JOBS_OWN = (("hydra", "job"), ("hydra", "overrides"), ("hydra", "runtime"), ("hydra", "sweep"))
#: of those, what all jobs of a composition have in common all the same.
_COMMON = (("hydra", "job", "name"), _FOLDER)
_MARK = "/runyard's folder of a job"
_STREAMS = {"ext://sys.stdout": "stdout", "ext://sys.stderr": "stderr"}
_KEYS = {
    "logging.StreamHandler": {"class", "stream", "formatter", "level"},
    "logging.FileHandler": {"class", "filename", "mode", "encoding", "delay", "formatter", "level"},
}


class PreparedLogging:
    """A logging config whose handlers are the usual ones.

    ``set_up`` is called once before jobs are forked, ``adopt`` in the process of a job.
    """

    def __init__(self, plain: dict[str, Any], verbose: Any) -> None:
        self._plain, self._verbose = plain, verbose

    @staticmethod
    def of(config: DictConfig) -> PreparedLogging | None:
        """The logging of a composition; None where it must be set up for each job."""
        reach = dependencies(config, _PLACE)
        if reach is None or any(not _is_common(place) for place in reach):
            return None
        twin = clone(config)
        set_value(_node(twin, _FOLDER), _MARK)
        plain: Any = OmegaConf.to_container(twin.hydra.job_logging, resolve=True)
        if not isinstance(plain, dict) or plain.get("root") is None or not _is_usual(plain):
            return None
        return PreparedLogging(plain, twin.hydra.verbose)

    def is_like(self, other: PreparedLogging | None) -> bool:
        """Whether another composition logs in the same way."""
        return other is not None and (self._plain, self._verbose) == (other._plain, other._verbose)

    def set_up(self) -> None:
        """Configures logging with files that are not opened."""
        plain = copy.deepcopy(self._plain)
        for handler in _handlers(plain).values():
            if "filename" in handler:
                handler.update(filename=os.devnull, delay=True)
        configure_log(OmegaConf.create(plain), self._verbose)

    def adopt(self, run_dir: str) -> None:
        """Gives the handlers the streams of this process, and the log file of its job."""
        for name, handler in _handlers(self._plain).items():
            made: Any = logging.__dict__["_handlers"][name]
            if "filename" not in handler:
                made.stream = getattr(sys, _STREAMS[handler.get("stream", "ext://sys.stderr")])
                continue
            made.baseFilename = os.path.abspath(handler["filename"].replace(_MARK, run_dir))
            made.delay = handler.get("delay", False)
            if not made.delay:
                made.stream = made._open()


def _is_common(place: tuple[str, ...]) -> bool:
    if place[0] != "hydra":
        return False
    return place in _COMMON or not any(overlap(place, own) for own in _A_JOBS_OWN)


def _handlers(plain: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = plain.get("handlers") or {}
    return found


def _is_usual(plain: Mapping[str, Any]) -> bool:
    """Whether only the usual handlers are asked for, and nothing that would be made by other code."""
    if "()" in str(plain) or "${" in str(plain) or plain.get("incremental"):
        return False
    for handler in _handlers(plain).values():
        known = _KEYS.get(str(handler.get("class")))
        if known is None or not known.issuperset(handler):
            return False
        if "filename" not in handler and handler.get("stream", "ext://sys.stderr") not in _STREAMS:
            return False
    return True


def _node(config: DictConfig, place: tuple[str, ...]) -> Any:
    node: Any = config
    for key in place:
        node = node.__dict__["_content"][key]
    return node
