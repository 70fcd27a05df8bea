"""The job: five stages from the variants to the summary, then the manifest."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import runyard

from .config import ContestConfig, settled, validate
from .contests import resolve_contest
from .inputs import load_slate
from .manifest import write_manifest
from .stages import stages_of
from .tables import read_json

#: what comes first among the metrics: the head of the requirement, and the standard error of its mean.
HEAD = ("roi_mean", "roi_se", "roi_p50", "dup_p95")


def check(cfg: Any) -> None:
    """Checks a configuration, that its slate and contest are there, and that they can be used.

    Raises:
        UsageError: what is wrong, where, and what to do.
    """
    plain = settled(cfg)
    validate(plain)
    slate = load_slate(plain)
    for key in ("lock", "ban"):
        for player in getattr(plain.optimizer, key):
            slate.find(player, f"workload.optimizer.{key}")
    resolve_contest(plain)


def run(cfg: ContestConfig) -> dict[str, Any]:
    """Runs the stages in the run at work, writes manifest and diagnostics, and returns the metrics of all stages.

    Emits a row per lineup of ours to the table ``lineups`` (lineup_id, from 1; roi_mean; cash, the part of the worlds
    in which it won something; duplicates, others with the same players).

    Raises:
        UsageError: the configuration or an input file is at fault, no lineup is possible, or no run is active.
        ContractBroken: something written does not keep to its schema.
    """
    plain = settled(cfg)
    check(plain)
    metrics = runyard.run_stages(plain, stages_of(plain))
    run = runyard.current()
    write_manifest(plain, run, datetime.now(timezone.utc))
    runyard.table("lineups").extend(read_json(run.dir / "sim" / "metrics.json")["lineups"])
    return {**{name: metrics[name] for name in HEAD}, **metrics}
