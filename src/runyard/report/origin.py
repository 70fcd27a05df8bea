"""Where a sweep's results come from, in sentences: axes, launcher, machines, times, code. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from runyard.analyze import Axis, LoadedSweep
from runyard.base import from_iso
from runyard.record import RunRecord
from runyard.report.wording import count, duration, levels, listing, moment, shorten

_LISTED_AT_MOST = 5
_COMMAND_WIDTH = 400


def code(text: str) -> str:
    """The text as Markdown code on one line."""
    clean = " ".join(text.split())
    fence = "``" if "`" in clean else "`"
    space = " " if "`" in clean else ""
    return f"{fence}{space}{clean}{space}{fence}"


def what_was_run(loaded: LoadedSweep) -> str:
    """``48 jobs of the experiment meituan swept `day` (0 to 7, 8 values) and `d` (10, 20 and 30), each ...``."""
    jobs = count(len(loaded.runs), "job")
    swept = [axis for axis in loaded.axes if axis.role != "seed"]
    seeds = [axis for axis in loaded.axes if axis.role == "seed"]
    text = f"{jobs} of the experiment {code(loaded.sweep.experiment)}"
    if swept:
        text += f" swept {listing(f'{code(axis.name)} ({values_of(axis)})' for axis in swept)}"
    if seeds:
        said = listing(f"{code(axis.name)} ({values_of(axis)})" for axis in seeds)
        text += f"{', over the seeds' if swept else ' differ in their seeds'} {said}"
    return f"{text}." if swept or seeds else f"{text}, with nothing swept."


def values_of(axis: Axis) -> str:
    """The values when they are few, else their range or the first of them, and how many there are."""
    if len(axis.values) <= _LISTED_AT_MOST:
        return listing(_said(axis))
    if axis.kind == "numeric":
        low, high = levels((axis.values[0], axis.values[-1]))
        return f"{low} to {high}, {count(len(axis.values), 'value')}"
    return f"{', '.join(_said(axis)[: _LISTED_AT_MOST - 1])} and others, {count(len(axis.values), 'value')}"


def _said(axis: Axis) -> list[str]:
    labels = levels(axis.values)
    return labels if axis.kind == "numeric" else [code(shorten(label, 40)) for label in labels]


def how_it_ran(loaded: LoadedSweep) -> str:
    """Launcher, hosts, when, how long, and how much time the jobs took together."""
    ran = [run for run in loaded.runs if run.reused is None]
    attempts = [attempt for run in ran for attempt in run.attempts]
    hosts = sorted({attempt.host for attempt in attempts if attempt.host})
    where = f" on {_hosts(hosts, loaded.sweep.provenance)}" if hosts else ""
    text = f"The launcher was {code(loaded.sweep.launcher)}{where}.{_taken_over(loaded)}"
    starts = [when for attempt in attempts if (when := _moment(attempt.started_at))]
    ends = [when for attempt in attempts if (when := _moment(attempt.ended_at))]
    if not starts or not ends:
        return text
    spent = sum(attempt.seconds or 0.0 for attempt in attempts)
    text += f" The first job started at {moment(min(starts))} and the last ended "
    text += f"{duration(max(0.0, (max(ends) - min(starts)).total_seconds()))} later;"
    text += f" the jobs took {duration(spent)} in all{_median(ran)}."
    again = sum(len(run.attempts) > 1 for run in ran)
    return text + (f" {count(again, 'job')} took more than one attempt." if again else "")


def _taken_over(loaded: LoadedSweep) -> str:
    """How many jobs did not run, because an earlier run with the same config and code had their result."""
    sources = [str(run.reused.get("sweep_id")) for run in loaded.runs if run.reused is not None]
    if not sources:
        return ""
    names = sorted(set(sources))
    others = " and others" if len(names) > _LISTED_AT_MOST else ""
    return (
        f" {count(len(sources), 'job')} did not run: the results of equal runs were taken over from the "
        f"sweep{'s' if len(names) > 1 else ''} {listing(code(name) for name in names[:_LISTED_AT_MOST])}{others}."
    )


def _median(runs: Sequence[RunRecord]) -> str:
    seconds = sorted(run.seconds for run in runs if run.seconds is not None)
    return f", {duration(seconds[len(seconds) // 2])} in the median" if len(seconds) > 1 else ""


def _hosts(hosts: list[str], provenance: Mapping[str, Any]) -> str:
    if len(hosts) > 1:
        return f"{count(len(hosts), 'host')} ({listing(code(host) for host in hosts[:_LISTED_AT_MOST])}" + (
            " and others)" if len(hosts) > _LISTED_AT_MOST else ")"
        )
    machine = provenance.get("host")
    cpu = machine.get("cpu") if isinstance(machine, Mapping) and machine.get("name") == hosts[0] else None
    cpus = f", {machine['cpus']} CPUs" if cpu and isinstance(machine, Mapping) and machine.get("cpus") else ""
    return code(hosts[0]) + (f" ({cpu}{cpus})" if cpu else "")


def _moment(text: str | None) -> datetime | None:
    try:
        return from_iso(text) if text else None
    except ValueError:
        return None


def which_code(loaded: LoadedSweep) -> str:
    """Commit, branch, whether it was changed, and when jobs ran from different commits."""
    git = loaded.sweep.provenance.get("git")
    git = git if isinstance(git, Mapping) else {}
    if not git.get("sha"):
        text = "The code was in no git repository."
    else:
        branch = f" on branch {code(str(git['branch']))}" if git.get("branch") else ""
        text = f"The code was commit {code(str(git['sha'])[:7])}{branch}{_changes(git)}."
    commits = sorted({str(sha) for sha in loaded.table.columns["git_sha"] if sha})
    if len(commits) > 1:
        text += f" Not all jobs ran from the same commit: {listing(code(sha) for sha in commits)}; see results.csv."
    if loaded.sweep.command:
        text += f" The command was {code(shorten(shlex.join(loaded.sweep.command), _COMMAND_WIDTH))}."
    return text


def _changes(git: Mapping[str, Any]) -> str:
    if git.get("dirty") is None:
        return ""
    if not git["dirty"]:
        return ", with nothing uncommitted"
    return ", with uncommitted changes" + (f" (the patch: {git['patch']})" if git.get("patch") else "")
