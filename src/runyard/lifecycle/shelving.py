"""Archiving and promoting experiments that are folders: what the scripts archive_experiments and promote_config do."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from runyard.base import RunyardError, UsageError, iso, write_bytes, write_json
from runyard.lifecycle.experiments import CONFIG, METADATA, REPORTS, Experiment, Report
from runyard.lifecycle.hold import held
from runyard.lifecycle.leaderboard import LeaderboardEntry, add_to_leaderboard
from runyard.lifecycle.moving import move_folder
from runyard.lifecycle.status import Judgement, Status


class NotGoodEnough(RunyardError):
    """An experiment that may not be promoted; the message says why."""


def archive_experiment(experiment: Experiment, judged: Judgement, archive: Path, *, now: datetime) -> Path:
    """Moves an experiment into the archive, with copies of its reports and a metadata.json; returns where it is.

    A kill leaves it whole in one of the two places.

    Raises:
        UsageError: the place in the archive is taken.
        RecordError: its metadata.json cannot be read.
    """
    target = archive / experiment.name
    if target.exists():
        raise UsageError("the place in the archive is taken", where=str(target), todo="move what is there")
    own = experiment.folder / REPORTS
    for report in experiment.reports:
        if report.path.parent != own:
            own.mkdir(exist_ok=True)
            shutil.copy2(report.path, own / report.path.name)
    metadata = {
        **experiment.metadata(),
        "status": judged.status.value,
        "reason": judged.why,
        "archived_at": iso(now),
        "archived_from": str(experiment.folder),
        "reports": [report.path.name for report in experiment.reports],
    }
    write_json(experiment.folder / METADATA, metadata, sync=True)
    move_folder(experiment.folder, target)
    return target


def checked_report(experiment: Experiment, *, nrmse_threshold: float | None) -> Report:
    """The newest report of an experiment that may be promoted.

    Args:
        experiment: the experiment.
        nrmse_threshold: the largest ``final_nrmse`` that is allowed; None allows any.

    Raises:
        NotGoodEnough: no report, one that lacks a value, gates that failed, an error that is too large.
        UsageError: it has no config.yaml.
    """
    if not (experiment.folder / CONFIG).is_file():
        raise UsageError(f"no {CONFIG} in the experiment", where=str(experiment.folder))
    if experiment.metadata().get("status") == Status.FAILED.value:
        raise NotGoodEnough(f"{METADATA} says that it failed")
    if not experiment.reports:
        raise NotGoodEnough(f"no report: neither in {experiment.folder / REPORTS} nor among the common ones")
    report = experiment.reports[-1]
    if report.has_errors:
        raise NotGoodEnough(f"{report.path} tells of errors")
    if report.gates_passed is None:
        raise NotGoodEnough(f"{report.path} has no gates_passed")
    if report.final_nrmse is None:
        raise NotGoodEnough(f"{report.path} has no final_nrmse")
    if not report.gates_passed:
        raise NotGoodEnough(f"the gates failed, says {report.path}")
    if nrmse_threshold is not None and not report.final_nrmse <= nrmse_threshold:
        raise NotGoodEnough(f"NRMSE {report.final_nrmse:.4f} is above {nrmse_threshold:.4f}")
    return report


def production_name(experiment: Experiment, name: str | None) -> str:
    """The file name of the promoted config: ``train_<name without date>.yaml`` unless one is given.

    Raises:
        UsageError: the name has a folder in it.
    """
    chosen = name or f"train_{experiment.short_name}.yaml"
    if Path(chosen).name != chosen or chosen.startswith("."):
        raise UsageError(f"{chosen!r} is not a file name", where="--config-name")
    return chosen if chosen.endswith((".yaml", ".yml")) else f"{chosen}.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotedConfig:
    """A config that was promoted, or would be."""

    source: Path
    target: Path
    report: Report


def promote_experiment(
    experiment: Experiment, report: Report, target: Path, *, now: datetime, force: bool = False
) -> PromotedConfig:
    """Copies an experiment's config.yaml to ``target``, byte for byte, and notes it in the experiment's metadata.json.

    Raises:
        UsageError: something is there already.
    """
    source = experiment.folder / CONFIG
    with held(target.with_name(".promote.lock")):
        if target.exists() and not force and target.read_bytes() != source.read_bytes():
            raise UsageError(
                "there is another config of that name", where=str(target), todo="--config-name, or --force"
            )
        write_bytes(target, source.read_bytes(), sync=True)
        promotion = {
            "config": str(target),
            "promoted_at": iso(now),
            "report": str(report.path),
            "metrics": {"final_nrmse": report.final_nrmse, "gates_passed": report.gates_passed},
        }
        metadata = {**experiment.metadata(), "status": Status.SUCCESS.value, "promotion": promotion}
        write_json(experiment.folder / METADATA, metadata, sync=True)
    return PromotedConfig(source=source, target=target, report=report)


def add_experiment(path: Path, experiment: Experiment, promoted: PromotedConfig) -> None:
    """Puts a promoted experiment into a leaderboard, as its champion. Raises as ``add_to_leaderboard``."""
    from runyard.lifecycle.experiments import moment

    values = promoted.report.values
    numbers = {k: v for k, v in values.items() if isinstance(v, (int, float)) and not isinstance(v, bool)}
    other: dict[str, Any] = {k: v for k, v in values.items() if isinstance(v, (str, bool))}
    entry = LeaderboardEntry(
        run_id=experiment.name,
        timestamp=iso(moment(promoted.report.time_s)),
        label="champion",
        config=promoted.target.name,
        metrics=numbers,
        extra=other,
    )
    add_to_leaderboard(path, [entry])
