"""Starts, cancels and resumes: each sweep or run in a process of its own, within the limits of the server."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runyard.base import UsageError, quoted
from runyard.front import SweepHandle, start_application
from runyard.orchestrate import MOST_JOBS
from runyard.serve.facts import AppFacts
from runyard.serve.problems import Refused, TooMany
from runyard.serve.refusal import is_swept, least_jobs, read_overrides
from runyard.serve.settings import ServeSettings
from runyard.serve.sweeps import Sweeps

EXPERIMENT = r"[A-Za-z0-9_][A-Za-z0-9_\-]{0,99}"
TAG = r"[A-Za-z0-9_][A-Za-z0-9_.\- ]{0,63}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a client asks to be started. ``sweep`` None: a sweep when something is swept or an experiment is named.

    Raises:
        UsageError: the experiment or the tag has characters that could mean something else.
    """

    overrides: Sequence[str] = ()
    experiment: str | None = None
    tag: str | None = None
    launcher: str | None = None
    seeds: int | Sequence[int] | None = None
    max_jobs: int | None = None
    sweep: bool | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, pattern, signs in (("experiment", EXPERIMENT, "_ and -"), ("tag", TAG, "_ . - and spaces")):
            text = getattr(self, name)
            if text is not None and not re.fullmatch(pattern, text):
                todo = f"begin with a letter, a digit or _, and go on with these, {signs}"
                raise UsageError(f"{text[:100]!r} cannot be used", where=name, todo=todo)


class Launches:
    """Starts the server's application, and acts on its sweeps. One start at a time, so that limits hold."""

    def __init__(self, settings: ServeSettings, facts: AppFacts | None, sweeps: Sweeps) -> None:
        self._settings, self._facts, self._sweeps = settings, facts, sweeps
        self._lock = threading.Lock()

    @property
    def can_start(self) -> bool:
        """Whether the server has an application."""
        return self._facts is not None

    def start(self, order: Order) -> Path:
        """Starts a sweep or a single run; returns its directory, which has its record.

        Raises:
            Refused: an override is not allowed, or the server has no application.
            TooMany: too many sweeps are at work.
            UsageError: the application refuses; in its own words.
        """
        is_sweep, words = self._words(order)
        with self._lock:
            self._make_room()
            started = start_application(
                self._app().target, words, multirun=is_sweep, cwd=self._settings.cwd, environment=self._environment()
            )
        self._sweeps.forget()
        return started.dir

    def resume(self, run_id: str) -> None:
        """Runs what is left of a sweep. Returns when its process is at work.

        Raises:
            SweepBusy: it is at work already.
            TooMany: too many sweeps are.
            UsageError: it cannot be taken up again.
        """
        folder = self._folder(run_id)
        with self._lock:
            self._make_room()
            SweepHandle(folder).resume()
        self._sweeps.forget()

    def cancel(self, run_id: str) -> str:
        """Stops a sweep or a run; what has ended is kept. Returns a sentence.

        Raises:
            UsageError: nobody is at work on it.
        """
        said = SweepHandle(self._folder(run_id)).cancel()
        self._sweeps.forget()
        return said

    def _folder(self, run_id: str) -> Path:
        return self._sweeps.inside(self._sweeps.dir_of(run_id))

    def _app(self) -> AppFacts:
        if self._facts is None:
            raise Refused(
                "this server has no application to start", todo="its operator names one with runyard serve --app"
            )
        return self._facts

    def _make_room(self) -> None:
        at_work = self._sweeps.at_work()
        if at_work >= self._settings.most_running:
            raise TooMany(f"{at_work} sweeps are at work, which is the most at a time", todo="try again later")

    def _environment(self) -> dict[str, str]:
        return {**os.environ, MOST_JOBS: str(self._settings.most_jobs)}

    def _words(self, order: Order) -> tuple[bool, list[str]]:
        """Whether it is a sweep, and the words of the command line: the client's were looked at, ours come last."""
        facts = self._app()
        read = read_overrides(order.overrides, self._settings.allow)
        fields = self._settings.fields
        named = fields.words(order.fields)
        read_overrides(named, fields.keys)  # raises for what a mapping's keys would call
        jobs = least_jobs(read, order.seeds)
        if jobs > self._settings.most_jobs:
            raise UsageError(
                f"these are {jobs} jobs, and {self._settings.most_jobs} are the most",
                where="overrides",
                todo="ask for fewer",
            )
        swept = is_swept(read) or order.seeds is not None or order.experiment is not None
        is_sweep = swept if order.sweep is None else order.sweep
        if not is_sweep and (is_swept(read) or order.seeds is not None):
            raise UsageError("a single run sweeps over nothing", where="sweep", todo="leave it out, or say true")
        launcher = order.launcher or facts.launcher or ("local" if is_sweep else "record")
        words = [
            *(fields.overrides if named else ()),
            *named,
            *order.overrides,
            *(facts.choosing("experiment", order.experiment) if order.experiment is not None else []),
            *(facts.choosing("runyard", launcher) if launcher is not None else []),
            *_own_words(order),
        ]
        return is_sweep, words


def _own_words(order: Order) -> list[str]:
    """Settings of the record and of the sweeper that an order may have."""
    seeds = list(order.seeds) if isinstance(order.seeds, Sequence) else order.seeds
    values = {
        "hydra.sweeper.seeds": seeds,
        "hydra.sweeper.max_jobs": order.max_jobs,
        "hydra.callbacks.runyard.tags": [order.tag] if order.tag else None,
    }
    return [f"{key}={quoted(value)}" for key, value in values.items() if value is not None]
