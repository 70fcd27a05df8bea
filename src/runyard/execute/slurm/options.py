"""Options: what is asked of Slurm for an array of workers, by the names that users know from submitit. Pure."""

from __future__ import annotations

import dataclasses
import difflib
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runyard.base import UsageError
from runyard.execute.slurm.sbatch import PASSED, REFUSED

_WHERE = "hydra.launcher"
#: the warning comes so many seconds before the end; in short allocations after three quarters of the time.
_DELAY_S, _LEAST_DELAY_S, _MOST_DELAY_S = 120, 30, 65535


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmOptions:
    """What is asked of Slurm for one array of workers; the names are those of submitit.

    Attributes:
        timeout_min: time limit of the allocation in minutes, rounded up by Slurm's own rule; 0: the partition's.
        tasks_per_node: processes that srun starts on each node.
        gpus_per_node: a number, or a kind and a number, such as ``a100:2``; ``gpus_per_task`` likewise.
        mem_gb: memory of each node in GiB; 0: all that a node has.
        mem_per_cpu: memory with its unit, such as ``4G``; MB without; ``mem_per_gpu`` likewise.
        exclusive: no other jobs on the nodes; or Slurm's ``user`` or ``mcs``.
        array_parallelism: at most so many of the workers run at once.
        setup: lines of shell before the workers start.
        teardown: lines of shell after a worker has ended; ``$rc`` is its exit code.
        srun_args: further arguments of srun.
        additional_parameters: sbatch's other long options, with _ for -. True: a flag.
        signal_delay_s: the warning (SIGUSR2) comes so many seconds before the time limit.
        python: the command that starts Python on the nodes; None: this Python.
        stderr_to_stdout: always true; both are in the worker's log.
    """

    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    timeout_min: float = 60.0
    nodes: int = 1
    tasks_per_node: int = 1
    cpus_per_task: int | None = None
    gpus_per_node: int | str | None = None
    gpus_per_task: int | str | None = None
    cpus_per_gpu: int | None = None
    mem_gb: float | None = None
    mem_per_cpu: str | None = None
    mem_per_gpu: str | None = None
    gres: str | None = None
    constraint: str | None = None
    exclude: str | None = None
    nodelist: str | None = None
    comment: str | None = None
    exclusive: bool | str | None = None
    array_parallelism: int = 256
    setup: tuple[str, ...] = ()
    teardown: tuple[str, ...] = ()
    srun_args: tuple[str, ...] = ()
    additional_parameters: Mapping[str, Any] = field(default_factory=dict)
    signal_delay_s: int = _DELAY_S
    python: str | None = None
    stderr_to_stdout: bool = True


SLURM_KEYS: tuple[str, ...] = tuple(sorted(field.name for field in dataclasses.fields(SlurmOptions)))


def slurm_options(values: Mapping[str, Any], *, known: Iterable[str] = ()) -> SlurmOptions:
    """Options from keys and values under ``hydra.launcher``.

    Args:
        values: None stands for "not given". A key that is none of ``SLURM_KEYS`` but a long option of sbatch, with _
            or -, goes into ``additional_parameters``.
        known: further names for the error about an unknown key.

    Raises:
        UsageError: a key is unknown (the closest known one is named) or the launcher's own affair, or a value is of
            the wrong kind or range.
    """
    given: dict[str, Any] = {}
    passed: dict[str, Any] = {}
    for key, value in values.items():
        plain = key.replace("-", "_")
        if value is None:
            _check_name(plain, key, known)
        elif plain == "additional_parameters":
            passed |= _additional(value)
        elif plain in SLURM_KEYS:
            given[plain] = _KINDS[plain](plain, value)
        else:
            _check_name(plain, key, known)
            passed[plain] = _plain_value(f"{_WHERE}.{plain}", value)
    options = SlurmOptions(**given, additional_parameters=passed)
    if "signal_delay_s" not in given:
        options = dataclasses.replace(options, signal_delay_s=default_delay_s(options.timeout_min))
    return _checked(options)


def default_delay_s(timeout_min: float) -> int:
    """How long before the time limit the warning comes where the user has not said it, in seconds."""
    if timeout_min <= 0:
        return _DELAY_S
    return min(_DELAY_S, max(_LEAST_DELAY_S, round(timeout_min * 60 / 4)))


def _checked(options: SlurmOptions) -> SlurmOptions:
    if 0 < options.timeout_min * 60 <= options.signal_delay_s:
        raise UsageError(
            f"the warning would come {options.signal_delay_s} s before the end, and workers end after "
            f"{options.timeout_min * 60:g} s",
            where=f"{_WHERE}.signal_delay_s",
            todo=f"leave it out, or give less than {options.timeout_min * 60:g}",
        )
    memory = [key for key in ("mem_gb", "mem_per_cpu", "mem_per_gpu") if getattr(options, key) is not None]
    if len(memory) > 1:
        raise UsageError(f"{' and '.join(memory)} exclude each other", where=_WHERE, todo="give one of them")
    return options


def _check_name(plain: str, key: str, known: Iterable[str]) -> None:
    if plain in REFUSED:
        why, todo = REFUSED[plain]
        raise UsageError(f"{key} cannot be given: {why}", where=f"{_WHERE}.{key}", todo=todo)
    if plain not in PASSED and plain not in SLURM_KEYS:
        names = sorted({*SLURM_KEYS, *known})
        close = difflib.get_close_matches(plain, [*names, *sorted(PASSED), *sorted(REFUSED)], n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}? " if close else ""
        todo = f"{hint}Known: {', '.join(names)}; and every long option of sbatch, with _ for -"
        raise UsageError(f"unknown key {key!r}", where=_WHERE, todo=todo)


def _additional(value: Any) -> dict[str, Any]:
    where = f"{_WHERE}.additional_parameters"
    if not isinstance(value, Mapping):
        raise UsageError(f"{value!r} is no mapping", where=where, todo="give options of sbatch: {mail_type: END}")
    found: dict[str, Any] = {}
    for key, item in value.items():
        plain = str(key).lstrip("-").replace("-", "_")
        if plain in REFUSED:
            _check_name(plain, plain, ())
        if plain in SLURM_KEYS:
            raise UsageError(f"{plain} has a key of its own", where=where, todo=f"use {_WHERE}.{plain}")
        if not plain.isidentifier():
            raise UsageError(f"{key!r} is no option of sbatch", where=where, todo="give names such as mail_type")
        if item is not None:
            found[plain] = _plain_value(f"{where}.{plain}", item)
    return found


def _plain_value(where: str, value: Any) -> Any:
    """The value of an option that is passed on: True for a flag, text, or a number; False leaves the option out."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = ",".join(str(_plain_value(where, item)) for item in value)
    if not isinstance(value, (bool, int, float, str)):
        raise UsageError(f"{value!r} is nothing that sbatch takes", where=where, todo="give text, a number, or true")
    if isinstance(value, str) and not (value and value.isprintable()):
        raise UsageError(f"{value!r} cannot be an option's value", where=where, todo="give text of one line")
    return value


def _wrong(key: str, value: Any, wanted: str) -> UsageError:
    return UsageError(f"{key} is {value!r}", where=f"{_WHERE}.{key}", todo=f"give {wanted}")


def _text(key: str, value: Any) -> str:
    """Text; a list is joined by commas, as Slurm writes lists."""
    plain = _plain_value(f"{_WHERE}.{key}", value)
    if isinstance(plain, bool):
        raise _wrong(key, value, "text")
    return str(plain)


def _whole(least: int, most: int | None = None) -> Callable[[str, Any], int]:
    def check(key: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least or (most and value > most):
            upper = f" and at most {most}" if most else ""
            raise _wrong(key, value, f"a whole number of at least {least}{upper}")
        return value

    return check


def _number(key: str, value: Any) -> float:
    # not "value < 0": NaN is to be refused as well
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise _wrong(key, value, "a number of at least 0")
    return float(value)


def _gpus(key: str, value: Any) -> int | str:
    return _text(key, value) if isinstance(value, str) else _whole(0)(key, value)


def _exclusive(key: str, value: Any) -> bool | str:
    return value if isinstance(value, bool) else _text(key, value)


def _lines(key: str, value: Any) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, Sequence) or not all(isinstance(item, str) for item in items):
        raise _wrong(key, value, "a list of texts")
    return tuple(items)


def _arguments(key: str, value: Any) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(value)) if isinstance(value, str) else _lines(key, value)
    except ValueError as exc:
        raise _wrong(key, value, f"a list of arguments ({exc})") from exc


def _both_in_one(key: str, value: Any) -> bool:
    if value is not True:
        raise _wrong(key, value, "true, or leave it out: a worker has one log for both")
    return True


_KINDS: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(("partition", "account", "qos", "gres", "constraint", "exclude", "nodelist", "comment"), _text),
    **dict.fromkeys(("mem_per_cpu", "mem_per_gpu", "python"), _text),
    **dict.fromkeys(("nodes", "tasks_per_node", "cpus_per_task", "cpus_per_gpu", "array_parallelism"), _whole(1)),
    **dict.fromkeys(("gpus_per_node", "gpus_per_task"), _gpus),
    **dict.fromkeys(("timeout_min", "mem_gb"), _number),
    **dict.fromkeys(("setup", "teardown"), _lines),
    "exclusive": _exclusive,
    "srun_args": _arguments,
    "signal_delay_s": _whole(0, _MOST_DELAY_S),
    "stderr_to_stdout": _both_in_one,
}
