"""A stage: a named step of a job, with a folder and metrics of its own, that is not repeated once it is done."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runyard.base import RecordError, State, UsageError, from_finite_json, read_json, write_json
from runyard.record import ActiveRun, StageInfo, StagePaths, current, metrics_of

#: names the stages, separated by commas, that are not run in this process but by workers of another kind.
ELSEWHERE_VARIABLE = "RUNYARD_STAGES_ELSEWHERE"
_RESERVED = frozenset({".hydra", "tables", "shared"})


class StageElsewhere(BaseException):
    """The job goes on elsewhere: the stage that it has come to is run by workers of another kind.

    It is no ``Exception``, so that a task does not take it for a failure of its own.
    """

    def __init__(self, stage: str) -> None:
        super().__init__(f"stage {stage!r} is run by other workers")
        self.stage = stage


def run_stage(name: str, function: Callable[[Path], Mapping[str, Any] | None]) -> dict[str, Any]:
    """Runs one stage of the job at work and returns its metrics.

    A stage that an earlier attempt of the same job completed is not run again: its recorded metrics come back.
    The folder stays between attempts, so that a checkpoint in it is found again.

    Args:
        name: the stage's name and that of its folder in the run's directory.
        function: called with the folder; returns a flat mapping of metrics, or None.

    Raises:
        UsageError: no run is active, or the name cannot be a folder's.
        StageElsewhere: other workers run this stage; the job's attempt ends here.
        Exception: whatever ``function`` raises, after the stage is recorded as FAILED.
    """
    run = current()
    paths = StagePaths(folder_of(run, name))
    done = completed(paths)
    if done is not None:
        run.stages[name] = done
        return dict(done.metrics)
    if name in os.environ.get(ELSEWHERE_VARIABLE, "").split(","):
        raise StageElsewhere(name)
    paths.dir.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(paths.tables, ignore_errors=True)  # rows of an attempt that did not end are not results
    started = time.monotonic()
    _record(run, name, StageInfo(state=State.RUNNING, seconds=None, metrics={}))
    try:
        with run.inside(paths.tables):
            metrics = metrics_of(function(paths.dir))
    except BaseException:
        _record(run, name, StageInfo(state=State.FAILED, seconds=time.monotonic() - started, metrics={}))
        raise
    _record(run, name, StageInfo(state=State.COMPLETED, seconds=time.monotonic() - started, metrics=metrics))
    return metrics


def folder_of(run: ActiveRun, name: str) -> Path:
    """The folder of a stage. Raises UsageError when the name cannot be a folder's."""
    plain = name.replace("_", "").replace("-", "").isalnum()
    if not plain or name in _RESERVED:
        raise UsageError(f"a stage cannot be named {name!r}", todo="use a plain word such as 'train'")
    return run.dir / name


def completed(paths: StagePaths) -> StageInfo | None:
    """What is recorded of a stage that an attempt completed; None when none did, or the record cannot be trusted."""
    try:
        value = read_json(paths.stage_json)
        stage = StageInfo.from_json({**value, "metrics": from_finite_json(value["metrics"])})
    except (OSError, RecordError, KeyError, TypeError, ValueError, AttributeError):
        return None
    return stage if stage.state is State.COMPLETED else None


def _record(run: ActiveRun, name: str, stage: StageInfo) -> None:
    run.stages[name] = stage
    write_json(StagePaths(run.dir / name).stage_json, stage.to_json())
