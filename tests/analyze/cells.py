"""Job tables for tests, made from rows, without any file."""

from __future__ import annotations

from runyard.analyze import JobTable
from runyard.analyze.mixture import MixedRun
from runyard.base import State


def table(rows, names, metrics):
    columns = {"job": list(range(len(rows))), "state": [row[0] for row in rows]}
    for at, name in enumerate((*names, *metrics)):
        columns[name] = [row[at + 1] for row in rows]
    return JobTable(columns=columns, names=tuple(names), metrics=tuple(metrics))


def clean(jobs):
    states = map(State, jobs.columns["state"])
    return [MixedRun(number=n, state=state, cell=0, steps={}) for n, state in enumerate(states)]
