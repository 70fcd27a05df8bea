"""A stage that is a program: its arguments filled in, its output kept, its metrics read."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runyard.base import RunyardError, UsageError, die_with_parent, write_json
from runyard.pipeline.declared import Stage, StageContext, StageResult
from runyard.pipeline.placeholders import filled
from runyard.record import redact, redact_command

_TAIL = 2000  # characters of the log in the message


class CommandFailed(RunyardError):
    """A command of a stage ended with another exit code than 0, or took too long."""


def run_command(stage: Stage, known: Mapping[str, Any], context: StageContext) -> StageResult:
    """Runs the command and returns its metrics. Output goes to ``stdout.log`` and ``stderr.log`` in the stage's folder,
    arguments without secrets and the exit code to ``command.json``.

    Raises:
        CommandFailed: it failed or took longer than ``timeout_min``; the message has the end of its log.
        UsageError: a placeholder is not known, or there is no such program.
    """
    where = f"stages.{stage.name}.command"
    command = stage.command or ()
    if stage.shell:
        text = command if isinstance(command, str) else " ".join(command)
        parts: Sequence[str] = ["/bin/sh", "-c", text]
        arguments = ["/bin/sh", "-c", filled(text, {k: shlex.quote(str(v)) for k, v in known.items()}, where)]
    else:
        parts = shlex.split(command) if isinstance(command, str) else command
        arguments = [filled(part, known, where) for part in parts]
    code = _wait(stage, arguments, context.dir, where)
    told = [filled(part, redact(known), where) for part in parts]
    write_json(context.dir / "command.json", {"arguments": redact_command(told), "exit_code": code})
    if code != 0:
        how = f"took longer than {stage.timeout_min} min" if code is None else f"ended with exit code {code}"
        tail = (_text(context.dir / "stderr.log") or _text(context.dir / "stdout.log"))[-_TAIL:].strip()
        raise CommandFailed(f"the command of stage {stage.name!r} {how}: {tail}")
    return StageResult(metrics=_metrics(stage, context.dir))


def _wait(stage: Stage, arguments: list[str], folder: Path, where: str) -> int | None:
    """The exit code, or None after the time limit. Its whole process group ends with it."""
    parent = os.getpid()
    with (folder / "stdout.log").open("wb") as out, (folder / "stderr.log").open("wb") as err:
        try:
            process = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True,
                preexec_fn=lambda: die_with_parent(parent),  # noqa: PLW1509
            )  # fmt: skip
        except OSError as error:
            raise UsageError(f"cannot start {arguments[0]!r}: {error.strerror}", where=where) from error
        try:
            return process.wait(None if stage.timeout_min is None else stage.timeout_min * 60)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _metrics(stage: Stage, folder: Path) -> dict[str, Any]:
    """Metrics of the last line of the output, if it is a JSON object, and of the declared file, which counts more."""
    lines = [line for line in _text(folder / "stdout.log").splitlines() if line.strip()]
    found = _object(lines[-1]) if lines else None
    metrics = found or {}
    if stage.metrics is not None:
        written = _object(_text(folder / stage.metrics))
        if written is None:
            raise CommandFailed(f"the command of stage {stage.name!r} left no JSON object in {stage.metrics}")
        metrics = {**metrics, **written}
    return metrics


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
