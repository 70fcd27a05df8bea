"""Runs a job's stages in the order of their needs; what is done is not repeated, a failure stops only its own."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from runyard.base import RecordError, RunyardError, State, StorageError, UsageError, digest, read_json, write_json
from runyard.pipeline.cache import cached
from runyard.pipeline.checkpoint import Requeue
from runyard.pipeline.command import run_command
from runyard.pipeline.declared import Stage, StageContext, StageResult, in_order, plain_config, stages_of
from runyard.pipeline.keys import code_of, config_of, key_of
from runyard.pipeline.outputs import checked_outputs, hash_of, schemas_of
from runyard.pipeline.placeholders import check_texts, placeholders
from runyard.pipeline.resources import check_resources
from runyard.pipeline.stage import ELSEWHERE_VARIABLE, StageElsewhere, completed, folder_of
from runyard.record import ActiveRun, StageInfo, StagePaths, current, metrics_of

_ENDS_THE_ATTEMPT = (Requeue, StorageError, MemoryError)


class StagesFailed(RunyardError):
    """More than one stage failed."""


class StageTimeout(RunyardError):
    """A stage took longer than its ``timeout_min``."""


def run_stages(cfg: Any, stages: Iterable[Stage] | None = None) -> dict[str, Any]:
    """Runs the stages of the job at work and returns their metrics, all in one mapping.

    Args:
        cfg: the task's whole config; every stage function gets it.
        stages: None takes those that the config declares under ``stages``.

    Raises:
        UsageError: the declaration makes no sense (before anything runs), or no run is active.
        StageElsewhere: other workers run the next stage.
        StagesFailed: several stages failed. When one failed, its own exception comes out.
    """
    run, plain = current(), plain_config(cfg)
    ordered = in_order(stages_of(plain.get("stages") or {}) if stages is None else stages)
    if not ordered:
        raise UsageError("no stages are declared", where="stages", todo="declare at least one")
    for stage in ordered:
        _check(stage, run, plain, {other.name: other for other in ordered})
    return _Pipeline(run, cfg, plain).run(ordered)


def _check(stage: Stage, run: ActiveRun, plain: Mapping[str, Any], stages: Mapping[str, Stage]) -> None:
    """Refuses what can be known to be wrong before anything runs."""
    folder = folder_of(run, stage.name)
    check_resources(stage.name, stage.resources)
    context = StageContext(name=stage.name, dir=folder, run_dir=run.dir, attempt=run.attempt)
    inputs = {need: dict.fromkeys(stages[need].outputs, "") for need in stage.needs}
    check_texts(stage, placeholders(plain, inputs, context))
    config_of(stage, plain)
    schemas_of(stage)


class _Pipeline:
    """The stages of one job: what is done so far."""

    def __init__(self, run: ActiveRun, cfg: Any, plain: Mapping[str, Any]) -> None:
        self._run, self._cfg, self._plain = run, cfg, plain
        self._outputs: dict[str, dict[str, Path]] = {}
        self._hashes: dict[str, dict[str, str]] = {}

    def run(self, ordered: list[Stage]) -> dict[str, Any]:
        metrics: dict[str, Any] = {}
        failed: dict[str, Exception] = {}
        for stage in ordered:
            if not set(stage.needs) <= set(self._outputs):
                self._leave_out(stage)
                continue
            try:
                metrics.update(self._stage(stage))
            except _ENDS_THE_ATTEMPT:
                raise
            except Exception as error:  # what does not depend on it goes on
                failed[stage.name] = error
        if len(failed) == 1:
            raise next(iter(failed.values()))
        if failed:
            told = "; ".join(f"{name}: {type(e).__name__}: {e}" for name, e in failed.items())
            raise StagesFailed(f"{len(failed)} stages failed: {told}") from next(iter(failed.values()))
        return metrics

    def _leave_out(self, stage: Stage) -> None:
        """Records a stage that is not run because one that it needs failed; what an earlier attempt did of it stays."""
        done = completed(StagePaths(folder_of(self._run, stage.name)))
        if done is not None:
            self._run.stages[stage.name] = done
        else:
            self._record(stage, StageInfo(state=State.PENDING, seconds=None, metrics={}), how="not run")

    def _stage(self, stage: Stage) -> dict[str, Any]:
        folder = folder_of(self._run, stage.name)
        context = StageContext(name=stage.name, dir=folder, run_dir=self._run.dir, attempt=self._run.attempt)
        inputs = {need: self._outputs[need] for need in stage.needs}
        known = placeholders(self._plain, inputs, context)
        key = key_of(stage, self._plain, known, self._hashes)
        done = _done(folder, digest(key))
        if done is not None:
            write_json(StagePaths(folder).stage_json, {**done, "done_before": True})
            self._run.stages[stage.name] = StageInfo.from_json(done)
            self._keep(stage, folder, done["outputs"], done["hashes"])
            return dict(self._run.stages[stage.name].metrics)
        if stage.name in os.environ.get(ELSEWHERE_VARIABLE, "").split(","):
            raise StageElsewhere(stage.name)
        return self._work(stage, context, inputs, known, key)

    def _work(
        self,
        stage: Stage,
        context: StageContext,
        inputs: Mapping[str, Any],
        known: Mapping[str, Any],
        key: dict[str, Any],
    ) -> dict[str, Any]:
        started = time.monotonic()
        context.dir.mkdir(parents=True, exist_ok=True)
        self._record(stage, StageInfo(state=State.RUNNING, seconds=None, metrics={}))

        def compute() -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
            result = self._tried(stage, context, inputs, known)
            metrics = metrics_of(result.metrics)
            outputs = checked_outputs(stage, context.dir, result.outputs)
            return metrics, outputs, {name: hash_of(context.dir / path) for name, path in outputs.items()}

        by = None
        try:
            if stage.cache:
                whole = {**key, **code_of(stage)}
                (metrics, outputs, hashes), by = cached(self._run, stage.name, whole, context.dir, compute)
            else:
                metrics, outputs, hashes = compute()
        except BaseException:
            seconds = time.monotonic() - started
            self._record(stage, StageInfo(state=State.FAILED, seconds=seconds, metrics={}))
            raise
        info = StageInfo(state=State.COMPLETED, seconds=time.monotonic() - started, metrics=metrics)
        how = "run" if by is None else f"cached from {by}"
        self._record(stage, info, how=how, key=digest(key), outputs=outputs, hashes=hashes)
        self._keep(stage, context.dir, outputs, hashes)
        return dict(info.metrics)

    def _tried(
        self, stage: Stage, context: StageContext, inputs: Mapping[str, Any], known: Mapping[str, Any]
    ) -> StageResult:
        """The result of the first try that does not fail."""
        tables = StagePaths(context.dir).tables
        for left in range(stage.retries, -1, -1):
            shutil.rmtree(tables, ignore_errors=True)
            try:
                with self._run.inside(tables):
                    return self._once(stage, context, inputs, known)
            except (UsageError, *_ENDS_THE_ATTEMPT):
                raise
            except Exception as error:  # tried again while retries are left
                if not left:
                    raise
                context.log("retry", error=f"{type(error).__name__}: {error}", left=left)
        raise RunyardError(f"stage {stage.name!r} was never tried")  # Stage refuses retries below 0

    def _once(
        self, stage: Stage, context: StageContext, inputs: Mapping[str, Any], known: Mapping[str, Any]
    ) -> StageResult:
        if stage.function is None:
            return run_command(stage, known, context)
        with _time_limit(stage):
            result = stage.function(self._cfg, inputs, context)
        return result if isinstance(result, StageResult) else StageResult(metrics=metrics_of(result))

    def _keep(self, stage: Stage, folder: Path, outputs: Mapping[str, str], hashes: Mapping[str, str]) -> None:
        self._outputs[stage.name] = {name: folder / path for name, path in outputs.items()}
        self._hashes[stage.name] = dict(hashes)

    def _record(self, stage: Stage, info: StageInfo, **more: Any) -> None:
        folder = folder_of(self._run, stage.name)
        folder.mkdir(parents=True, exist_ok=True)
        self._run.stages[stage.name] = info
        write_json(StagePaths(folder).stage_json, {**info.to_json(), "resources": dict(stage.resources), **more})


def _done(folder: Path, key: str) -> dict[str, Any] | None:
    """What an earlier attempt recorded of the stage, if it completed, with the same key, and its outputs are intact."""
    try:
        value: dict[str, Any] = read_json(StagePaths(folder).stage_json)
        is_done = value["state"] == State.COMPLETED.value and value["key"] == key
        intact = is_done and all(hash_of(folder / p) == value["hashes"][n] for n, p in value["outputs"].items())
    except (OSError, RecordError, KeyError, TypeError, AttributeError):
        return None
    return value if intact else None


@contextmanager
def _time_limit(stage: Stage) -> Iterator[None]:
    """Raises StageTimeout in the main thread by SIGALRM when the stage takes too long."""
    if stage.timeout_min is None:
        yield
        return
    if threading.current_thread() is not threading.main_thread():
        raise UsageError("a function's time limit needs the main thread", where=f"stages.{stage.name}.timeout_min")

    def ring(number: int, frame: FrameType | None) -> None:
        raise StageTimeout(f"stage {stage.name!r} took longer than {stage.timeout_min} min")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, stage.timeout_min * 60)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
