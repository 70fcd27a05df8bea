"""What is to be expected of each job before it runs, and why; and of the whole sweep, how long it will take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import blake2b
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf

from runyard.base import FAILURES, State
from runyard.orchestrate.planning.past import Past, PastRun
from runyard.orchestrate.showing import rough

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MOST_KEYS, _MOST_REASONS = 3, 3
#: equal runs that are looked at for each job.
_MOST_RUNS = 5


class Outlook(str, Enum):
    """What is expected of a job. The value is the word that the plan says."""

    NEW = "new"
    CACHED = "cached"
    STALE = "stale"
    FAILED = "failed before"
    RUNNING = "running elsewhere"
    DUPLICATE = "duplicate"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What is expected of one job, why, and how long an equal one took; None where that is not known."""

    outlook: Outlook
    reason: str = ""
    seconds: float | None = None

    @property
    def note(self) -> str:
        """As it stands in the plan: ``stale: train.py changed``."""
        return f"{self.outlook}: {self.reason}" if self.reason else str(self.outlook)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """A job whose forecast is wanted.

    ``choices`` tell jobs apart whose configs may differ in more than the swept values; ``config`` gives the config.
    """

    job: int
    run_key: str
    params: Mapping[str, Any]
    choices: tuple[str, ...]
    config: Callable[[], DictConfig]


class Forecaster:
    """Says of jobs, in their order, what is expected of them.

    Args:
        past: the earlier sweeps.
        exclude: dotted keys that do not count in run keys.
    """

    def __init__(self, past: Past, *, exclude: Collection[str] = ()) -> None:
        self._past, self._exclude = past, frozenset(exclude)
        self._keys: dict[bytes, int] = {}
        self._why: dict[tuple[str, tuple[str, ...]], str] = {}
        self.tally = Tally()

    def of(self, jobs: Sequence[Ahead]) -> list[Forecast]:
        """The forecasts of further jobs."""
        known = self._past.runs({job.run_key for job in jobs})
        found = [self._one(job, known.get(job.run_key, [])) for job in jobs]
        for forecast in found:
            self.tally.add(forecast)
        self.tally.mean_s = self._past.alike.mean_s
        return found

    def _one(self, job: Ahead, runs: Sequence[PastRun]) -> Forecast:
        if not job.run_key:
            return Forecast(outlook=Outlook.NEW, reason="its config cannot be composed")
        short = blake2b(job.run_key.encode(), digest_size=8).digest()
        first = self._keys.setdefault(short, job.job)
        seconds = next((run.seconds for run in runs if run.state is State.COMPLETED), None)
        outlook, reason = (Outlook.DUPLICATE, f"as job {first}") if first != job.job else self._look(job, runs)
        return Forecast(outlook=outlook, reason=reason, seconds=seconds)

    def _look(self, job: Ahead, runs: Sequence[PastRun]) -> tuple[Outlook, str]:
        why: list[str] = []
        for run in [run for run in runs if run.state is State.COMPLETED][:_MOST_RUNS]:
            changes = self._past.changes(run)
            if changes == []:
                return Outlook.CACHED, run.name
            why = why or changes or []
        elsewhere = self._past.elsewhere(job.run_key)
        if elsewhere is not None:
            return Outlook.RUNNING, elsewhere
        if runs and runs[0].state in FAILURES:
            return Outlook.FAILED, f"{runs[0].state} in {runs[0].name}"
        if why:
            return Outlook.STALE, _some(why, _MOST_REASONS)
        return self._by_params(job)

    def _by_params(self, job: Ahead) -> tuple[Outlook, str]:
        """A job with the same swept values and another config is stale; its keys tell."""
        alike = self._past.alike
        run = alike.with_params(job.params)
        if run is None or run.run_key == job.run_key:
            return Outlook.NEW, ""
        kind = alike.sweep_id, job.choices
        if kind not in self._why:
            self._why[kind] = self._changed_keys(run, job)
        return Outlook.STALE, self._why[kind]

    def _changed_keys(self, run: PastRun, job: Ahead) -> str:
        try:
            before = yaml.load((run.run_dir / ".hydra" / "config.yaml").read_text(encoding="utf-8"), Loader=_LOADER)
            config: Any = OmegaConf.to_container(job.config(), resolve=False, enum_to_str=True)
        except Exception:  # a file that is gone or broken, or a config that cannot be composed: the reason stays short
            return "its config changed"
        config.pop("hydra", None)
        old, new = dict(_leaves(before)), dict(_leaves(config))
        keys = [key for key in dict.fromkeys((*old, *new)) if old.get(key, _NOTHING) != new.get(key, _NOTHING)]
        told = [_changed(key, old, new) for key in keys if not self._is_excluded(key)]
        return _some(told, _MOST_KEYS) or "a value that its config looks up changed"

    def _is_excluded(self, key: str) -> bool:
        return any(key == name or key.startswith(f"{name}.") for name in self._exclude)


_NOTHING = object()


def _leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, child in value.items():
            yield from _leaves(child, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value


def _changed(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    if key not in old:
        return f"{key} is new"
    if key not in new:
        return f"{key} is gone"
    return f"{key} was {old[key]} and is {new[key]}"


def _some(texts: Sequence[str], most: int) -> str:
    more = f"; and {len(texts) - most} more" if len(texts) > most else ""
    return "; ".join(texts[:most]) + more


@dataclass(slots=True)
class Tally:
    """How many jobs of each outlook there are so far, for what reasons, and how long they will take."""

    counts: Counter[Outlook] = field(default_factory=Counter)
    stale: Counter[str] = field(default_factory=Counter)
    known_s: dict[Outlook, float] = field(default_factory=lambda: dict.fromkeys(Outlook, 0.0))
    unknown: Counter[Outlook] = field(default_factory=Counter)
    mean_s: float | None = None

    def add(self, forecast: Forecast) -> None:
        """Counts a job."""
        self.counts[forecast.outlook] += 1
        if forecast.outlook is Outlook.STALE:
            self.stale[forecast.reason] += 1
        if forecast.seconds is None:
            self.unknown[forecast.outlook] += 1
        else:
            self.known_s[forecast.outlook] += forecast.seconds

    def lines(self, *, slots: int, jobs: int, reuses: bool) -> list[str]:
        """What is expected, in lines for the user; see ``estimate`` for the arguments."""
        looked_at = sum(self.counts.values())
        if not looked_at:
            return []
        of = f"{jobs} job{'s' if jobs != 1 else ''}" if looked_at >= jobs else f"the first {looked_at} of {jobs} jobs"
        counted = ", ".join(f"{self.counts[outlook]} {outlook}" for outlook in Outlook if self.counts[outlook])
        estimate = self.estimate(slots=slots, jobs=jobs, reuses=reuses)
        found = [f"{of}: {counted}" + (f"; {estimate}" if estimate else ""), *self._why()]
        if self.counts[Outlook.CACHED] and not reuses:
            found.append("  the results of cached jobs are taken over with hydra.sweeper.reuse=completed")
        return found

    def _why(self) -> list[str]:
        """Why jobs are stale, the most frequent reason first."""
        told = [f"  {count} stale: {reason}" for reason, count in self.stale.most_common(_MOST_REASONS)]
        rest = len(self.stale) - _MOST_REASONS
        return [*told, f"  ... and {rest} other reasons"] if rest > 0 else told

    def estimate(self, *, slots: int, jobs: int, reuses: bool) -> str | None:
        """How long the sweep will take; None where the registry has seen nothing like it.

        Args:
            slots: how many jobs run at a time.
            jobs: how many the sweep has: those not looked at yet are taken to be like the others.
            reuses: whether the results of cached jobs are taken over.
        """
        looked_at = sum(self.counts.values())
        run = [outlook for outlook in Outlook if not (reuses and outlook is Outlook.CACHED)]
        unknown, known_s = sum(self.unknown[o] for o in run), sum(self.known_s[o] for o in run)
        if not looked_at or (unknown and self.mean_s is None):
            return None
        total_s = (known_s + unknown * (self.mean_s or 0.0)) * jobs / looked_at
        return f"{rough(total_s / slots)} on {slots} process{'es' if slots > 1 else ''}"
