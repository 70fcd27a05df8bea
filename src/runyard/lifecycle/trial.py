"""Composing a promoted config as its user will: the application starts with it, and shows its config. Runs no job."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runyard.base import UsageError
from runyard.lifecycle.overlay import GROUP
from runyard.lifecycle.subject import Subject
from runyard.record import Entry

_TIMEOUT_S = 300.0
_NOT_THERE = re.compile(r"Could not override '([^']+)'")
#: flags of Hydra's command line that say where configs are, each with a value.
_PLACES = ("--config-name", "-cn", "--config-path", "-cp", "--config-dir", "-cd")


def use_command(subject: Subject, name: str) -> list[str]:
    """How the application is run with a config of the group ``production``, in the directory that it was started in.

    Raises:
        UsageError: the run was not started as a program, so that it cannot be started again.
    """
    entry = _entry(subject)
    program = ["-m", entry.target] if entry.kind == "module" else [_in(entry.cwd, entry.target)]
    return ["python", *program, *_places(subject.sweep.command), f"+{GROUP}={name}"]


def _in(folder: str, script: str) -> str:
    """A script as one names it in a folder: relative where it lies in there."""
    return os.path.relpath(script, folder) if Path(script).is_relative_to(folder) else script


def composed_config(subject: Subject, name: str) -> Any:
    """The application's config with ``+production=<name>``, as Hydra composes it there; unresolved, without ``hydra``.

    Raises:
        GroupNotThere: the config chooses an option of a group that is not in the application's defaults list.
        UsageError: it does not compose, or the application cannot be started.
    """
    import yaml
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    entry = _entry(subject)
    argv = [entry.python, *entry.flags, *use_command(subject, name)[1:], "--cfg", "job"]
    try:
        done = subprocess.run(
            argv,
            cwd=entry.cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise _cannot(argv, str(exc)) from exc
    missing = _NOT_THERE.search(done.stderr)
    if missing is not None:
        raise GroupNotThere(missing[1])
    if done.returncode != 0:
        raise _cannot(argv, done.stderr.strip() or f"exit code {done.returncode}")
    try:
        composed = OmegaConf.create(done.stdout)
        if OmegaConf.select(composed, GROUP) == name:  # a group that Hydra does not find is a plain value to it
            raise UsageError(
                f"the application does not look for configs where {GROUP}/{name}.yaml was put",
                where=shlex.join(argv),
                todo="give --conf-dir the directory that it reads, or start the sweep with Hydra's --config-dir",
            )
        return composed
    except (yaml.YAMLError, OmegaConfBaseException, ValueError) as exc:
        raise _cannot(argv, f"what it prints is no config ({exc})") from exc


class GroupNotThere(UsageError):
    """An option was chosen of a config group that the defaults list does not have."""

    def __init__(self, group: str) -> None:
        self.group = group
        super().__init__(f"the application's defaults list has no group {group!r}")


def _cannot(argv: Sequence[str], why: str) -> UsageError:
    return UsageError(
        f"the application does not compose the promoted config: {why}",
        where=shlex.join(argv),
        todo="mend that; or, where the application cannot be started here, promote without the trial: --no-trial",
    )


def _entry(subject: Subject) -> Entry:
    if subject.sweep.entry is None:
        raise UsageError(
            f"{subject.name} was not started as a program, so that nobody can start it again",
            where=str(subject.sweep_dir),
            todo="run the job from a script or module and promote that",
        )
    return Entry.from_json(subject.sweep.entry)


def _places(command: Sequence[str]) -> list[str]:
    """The words of a command line that say where configs are."""
    found: list[str] = []
    for at, word in enumerate(command):
        flag, equals, _ = word.partition("=")
        if flag in _PLACES:
            found += [word] if equals else list(command[at : at + 2])
    return found
