"""The workloads, by name. Each is plain code; importing this loads none of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runyard import UsageError

NAMES = ("airline", "arena", "burgers", "contest", "dispatch")


@dataclass(frozen=True, slots=True)
class Workload:
    """``check`` raises UsageError for a config that cannot run; ``run`` returns metrics."""

    check: Callable[[Any], None]
    run: Callable[[Any], Mapping[str, Any]]


def workload(name: str) -> Workload:
    """The workload of this name, imported.

    Raises:
        UsageError: there is none.
    """
    if name not in NAMES:
        raise UsageError(f"unknown workload {name!r}", where="workload.name", todo=f"Known: {', '.join(NAMES)}")
    module = importlib.import_module(f"app.workloads.{name}")
    return Workload(check=module.check, run=module.run)
