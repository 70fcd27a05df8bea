"""The gates of one run: its metrics against persistence and against a threshold. Rules over seeds are no part of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from app.workloads.files import write_text

from .config import BurgersConfig
from .evaluation import PERSISTENCE

REPORT_FILE = "report.json"
_MAY_BE_MISSING = {"type": ["number", "null"]}
_VERDICT_SCHEMA = {
    "type": "object",
    "properties": {
        **{name: {"type": "string"} for name in ("gate", "metric", "reason")},
        **dict.fromkeys(("value", "limit"), _MAY_BE_MISSING),
        "passed": {"type": "boolean"},
    },
    "required": ["gate", "metric", "value", "limit", "passed", "reason"],
}
REPORT_SCHEMA = {
    "type": "object",
    "properties": {
        "final_nrmse": _MAY_BE_MISSING,
        "gates_passed": {"type": "boolean"},
        "gates": {"type": "array", "items": _VERDICT_SCHEMA},
        "metrics": {"type": "object", "additionalProperties": {"type": "number"}},
    },
    "required": ["final_nrmse", "gates_passed", "gates", "metrics"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one gate.

    Attributes:
        gate: Its name.
        metric: What it looks at.
        value: What the run has; None when it is missing, and then the gate has failed.
        limit: The most that passes; None when what it follows from is missing.
        passed: Whether value <= limit.
        reason: The same in words.
    """

    gate: str
    metric: str
    value: float | None
    limit: float | None
    passed: bool
    reason: str


def judge(cfg: BurgersConfig, metrics: Mapping[str, float]) -> tuple[Verdict, ...]:
    """The verdict of every gate, in the order of the configuration; a missing metric fails."""
    verdicts = [_persistence(metric, cfg.gate_ratio, metrics) for metric in cfg.gate_metrics]
    if cfg.nrmse_threshold is not None:
        verdicts.append(_verdict("threshold", "final_nrmse", metrics.get("final_nrmse"), cfg.nrmse_threshold))
    return tuple(verdicts)


def report(cfg: BurgersConfig, metrics: Mapping[str, float], path: Path) -> dict[str, float]:
    """Judges, and writes the report: `final_nrmse` (null when missing), `gates_passed`, and each gate's verdict.

    Returns:
        `gates_passed` (1 or 0) and `gates_failed` (how many).
    """
    verdicts = judge(cfg, metrics)
    failed = sum(not verdict.passed for verdict in verdicts)
    content = {
        "final_nrmse": metrics.get("final_nrmse"),
        "gates_passed": failed == 0,
        "gates": [asdict(verdict) for verdict in verdicts],
        "metrics": dict(metrics),
    }
    write_text(path, json.dumps(content, indent=2) + "\n")
    return {"gates_passed": int(failed == 0), "gates_failed": failed}


def _persistence(metric: str, ratio: float, metrics: Mapping[str, float]) -> Verdict:
    floor = metrics.get(f"{PERSISTENCE}{metric}")
    return _verdict("persistence", metric, metrics.get(metric), None if floor is None else ratio * floor)


def _verdict(gate: str, metric: str, value: float | None, limit: float | None) -> Verdict:
    if value is None:
        passed, reason = False, f"{metric} is missing"
    elif limit is None:
        passed, reason = False, f"{PERSISTENCE}{metric} is missing"
    else:
        passed = value <= limit
        reason = f"{metric} {value:.6g} is {'at most' if passed else 'above'} {limit:.6g}"
    return Verdict(gate=gate, metric=metric, value=value, limit=limit, passed=passed, reason=reason)
