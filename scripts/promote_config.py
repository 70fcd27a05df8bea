#!/usr/bin/env python3
"""Promotes the config of an experiment whose gates passed: experiments/YYYY-MM-DD-name/ to configs/train_name.yaml.

    python scripts/promote_config.py experiments/2025-01-22-my-experiment --dry-run
    python scripts/promote_config.py experiments/2025-01-22-my-experiment --auto-promote --nrmse-threshold 0.10
    python scripts/promote_config.py experiments/2025-01-22-my-experiment --update-leaderboard

A front only: what is checked and written is in runyard.lifecycle.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

try:
    from runyard.base import RunyardError, UsageError, utc_now
    from runyard.lifecycle import (
        Experiment,
        NotGoodEnough,
        Report,
        add_experiment,
        checked_report,
        production_name,
        promote_experiment,
        read_experiment,
    )
except ModuleNotFoundError as error:
    sys.exit(f"{error}: this needs the project's own Python; run 'make venv', then .venv/bin/python {sys.argv[0]}")


def main(words: Sequence[str]) -> int:
    """The command; returns its exit code: 0 promoted, 1 not good enough, or not wanted, 2 wrong usage."""
    options = _parser().parse_args(words)
    try:
        return _promote(options)
    except NotGoodEnough as error:
        print(f"\u2717 Validation failed: {error}", file=sys.stderr)
        return 1
    except RunyardError as error:
        print(error, file=sys.stderr)
        return error.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("experiment", type=Path, help="the experiment's folder")
    add("--dry-run", action="store_true", help="check, and show what would be done; change nothing")
    add("--auto-promote", action="store_true", help="do not ask, at a terminal, before promoting")
    add("--nrmse-threshold", type=float, help="the largest final_nrmse that is allowed")
    add("--config-name", help="file name of the promoted config (default: train_<name>.yaml)")
    add("--production-dir", type=Path, default=Path("configs"), help="default: configs")
    add("--force", action="store_true", help="replace another config of that name")
    add("--update-leaderboard", action="store_true", help="also put it into the leaderboard")
    add(
        "--leaderboard-csv", type=Path, default=Path("reports/leaderboard.csv"), help="default: reports/leaderboard.csv"
    )
    add("--reports-dir", type=Path, default=Path("reports"), help="the common reports (default: reports)")
    return parser


def _promote(options: argparse.Namespace) -> int:
    folder = options.experiment
    if not folder.is_dir():
        raise UsageError("no such experiment", where=str(folder), todo="name its folder: experiments/YYYY-MM-DD-name")
    experiment = read_experiment(folder.resolve() if folder.name in ("", ".", "..") else folder, options.reports_dir)
    print(f"Validating results for: {experiment.name}")
    report = checked_report(experiment, nrmse_threshold=options.nrmse_threshold)
    print("\u2713 Validation passed")
    print(f"  NRMSE: {report.final_nrmse:.4f}")
    print("  Gates: PASS\n")
    target = options.production_dir / production_name(experiment, options.config_name)
    if options.dry_run:
        _show("[DRY RUN] Would promote:", experiment, report, target)
        return 0
    if not options.auto_promote and sys.stdin.isatty():
        _show("Promote:", experiment, report, target)
        if input("Go on? [y/N] ").strip().lower() not in ("y", "yes"):
            print("not promoted")
            return 1
    promoted = promote_experiment(experiment, report, target, now=utc_now(), force=options.force)
    _show("\u2713 Promoted:", experiment, report, target)
    if options.update_leaderboard:
        add_experiment(options.leaderboard_csv, experiment, promoted)
        print(f"  Leaderboard: {options.leaderboard_csv}")
    return 0


def _show(head: str, experiment: Experiment, report: Report, target: Path) -> None:
    print(head)
    print(f"  From: {experiment.folder}")
    print(f"  Config: {experiment.folder / 'config.yaml'}")
    print(f"  To:   {target}")
    print("  Metrics:")
    print(f"    final_nrmse: {report.final_nrmse}")
    print(f"    gates_passed: {report.gates_passed}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
