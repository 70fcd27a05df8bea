"""What a user can set: of the launcher and of the recorder. Checked when made."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runyard.base import UsageError, unknown_name
from runyard.execute import Resources, RetryPolicy, StopRule, check_causes


@dataclass(frozen=True, slots=True, kw_only=True)
class LauncherSettings:
    """``hydra.launcher.*`` of the local launcher; the meaning of each key is in docs/configuration.md.

    Raises:
        UsageError: a value is out of range.
    """

    n_jobs: int | None = None
    timeout_min: float | None = None
    max_retries: int = 0
    retry_on: Sequence[str] = ("FAILED", "TIMEOUT", "PREEMPTED", "LOST")
    retry_delay_s: float = 0.0
    fail_fast: bool = False
    max_failures: int | None = None
    grace_s: float = 10.0
    resources: Resources = field(default_factory=Resources)
    resources_from: str | None = None
    rules: Any = None
    counts_cpus: bool = False
    cpus: int | None = None
    gpus: Any = "auto"
    isolation: str = "auto"
    display: str = "auto"

    def __post_init__(self) -> None:
        _at_least(self.n_jobs, 1, "n_jobs", "null or -1 for as many as there are cores")
        _above(self.timeout_min, 0, "timeout_min", "null for no limit")
        _at_least(self.max_retries, 0, "max_retries", "0 for none")
        _at_least(self.retry_delay_s, 0, "retry_delay_s", "0 for none")
        _at_least(self.max_failures, 1, "max_failures", "null to run every job whatever happens")
        _at_least(self.grace_s, 0, "grace_s", "0 to kill at once")
        _at_least(self.cpus, 1, "cpus", "null for those of this machine")
        check_causes(self.retry_on)
        if self.isolation not in ISOLATIONS:
            raise unknown_name("isolation", self.isolation, ISOLATIONS, where="hydra.launcher.isolation")
        if self.isolation == "inline" and self.n_jobs not in (None, 1):
            raise UsageError(
                f"{self.n_jobs} jobs at a time cannot run in one process",
                where="hydra.launcher.n_jobs",
                todo="leave it at null, or give 1, with hydra.launcher.isolation=inline",
            )
        if self.display not in DISPLAYS:
            raise unknown_name("display", self.display, DISPLAYS, where="hydra.launcher.display")

    @property
    def retry(self) -> RetryPolicy:
        """When a job is tried again."""
        return RetryPolicy(max_retries=self.max_retries, retry_on=tuple(self.retry_on))

    @property
    def stop(self) -> StopRule:
        """When no further job starts."""
        return StopRule(max_failures=1 if self.fail_fast else self.max_failures)

    @property
    def timeout_s(self) -> float | None:
        """Seconds that an attempt may take; None for no limit."""
        return None if self.timeout_min is None else self.timeout_min * 60.0


ISOLATIONS = ("auto", "fork", "spawn", "inline")
DISPLAYS = ("auto", "live", "plain", "none")
_RESOURCES = tuple(f.name for f in dataclasses.fields(Resources))
#: what may stand under ``hydra.launcher``.
LAUNCHER_KEYS = tuple(f.name for f in dataclasses.fields(LauncherSettings) if f.name not in ("counts_cpus", "rules"))


def launcher_settings(values: Mapping[str, Any]) -> LauncherSettings:
    """Settings from the keys and values under ``hydra.launcher``.

    Raises:
        UsageError: a key is not known (the closest known one is named), or a value is of the wrong kind or range.
    """
    for key in values:
        if key not in LAUNCHER_KEYS:
            raise unknown_name("key", key, LAUNCHER_KEYS, where="hydra.launcher")
    given = dict(values)
    asked = dict(given.pop("resources", None) or {})
    rules = asked.pop("rules", None)
    for key in asked:
        if key not in _RESOURCES:
            raise unknown_name("key", key, _RESOURCES, where="hydra.launcher.resources")
    counts_cpus = _may_ask_for_cpus(asked, rules, given.get("resources_from"))
    if given.get("n_jobs") == -1:
        given["n_jobs"] = None
    if given.get("isolation") == "inline":
        given = {**given, **_inline_settings(given)}
    if given.get("retry_on") is not None:
        given["retry_on"] = tuple(str(cause) for cause in given["retry_on"])
    try:
        resources = Resources(**{k: v for k, v in asked.items() if v is not None})
        return LauncherSettings(resources=resources, rules=rules, counts_cpus=counts_cpus, **given)
    except TypeError as exc:  # a text where a number belongs
        raise UsageError(
            f"a value has the wrong kind ({exc})", where="hydra.launcher", todo="give a number where one belongs"
        ) from exc


def _at_least(value: float | None, least: float, key: str, hint: str) -> None:
    if value is not None and value < least:
        raise _out_of_range(value, f"at least {least}", key, hint)


def _above(value: float | None, least: float, key: str, hint: str) -> None:
    if value is not None and value <= least:
        raise _out_of_range(value, f"above {least}", key, hint)


def _out_of_range(value: float, wanted: str, key: str, hint: str) -> UsageError:
    return UsageError(f"{key} is {value}", where=f"hydra.launcher.{key}", todo=f"give a number {wanted}, or {hint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderSettings:
    """``hydra.callbacks.runyard.*``; the meaning of each key is in docs/configuration.md.

    ``root`` None means that no registry, index or ``latest`` is kept: the recorder was not asked for.
    """

    experiment: str
    root: str | None = None
    single_root: str | None = None
    label: str | None = None
    tags: tuple[str, ...] = ()
    note: str = ""
    seed_key: str | None = None
    metric: str | None = None
    exclude_keys: tuple[str, ...] = ()
    validate: str | None = None
    finish: str | None = None
    gates: Any = None
    baseline: str | None = None


def _may_ask_for_cpus(asked: Mapping[str, Any], rules: Any, node: Any) -> bool:
    by_rule = any(isinstance(rule, Mapping) and "cpus" in rule for rule in (rules if isinstance(rules, list) else ()))
    return asked.get("cpus") is not None or by_rule or node is not None


def _inline_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """One job at a time; and no region of the terminal that is drawn anew: the terminal is the job's."""
    n_jobs, display = given.get("n_jobs"), given.get("display", "auto")
    return {"n_jobs": 1 if n_jobs is None else n_jobs, "display": "plain" if display == "auto" else display}
