#!/usr/bin/env python3
"""Puts experiments that are done with into an archive: the folders experiments/YYYY-MM-DD-name/.

    python scripts/archive_experiments.py --list-only
    python scripts/archive_experiments.py --status all --dry-run
    python scripts/archive_experiments.py --status success

A front only: what an experiment's status is, and how it is moved, is in runyard.lifecycle.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

try:
    from runyard.base import RunyardError, utc_now
    from runyard.lifecycle import (
        Experiment,
        Judgement,
        Limits,
        Status,
        archive_experiment,
        files_to_keep,
        find_experiments,
        judge_experiment,
    )
except ModuleNotFoundError as error:
    sys.exit(f"{error}: this needs the project's own Python; run 'make venv', then .venv/bin/python {sys.argv[0]}")

Judged = tuple[Experiment, Judgement]


def main(words: Sequence[str]) -> int:
    """The command; returns its exit code: 0 all is done, 1 some could not be archived, 2 wrong usage."""
    options = _parser().parse_args(words)
    limits = Limits(active_days=options.max_active_days, stale_days=options.max_stale_days)
    try:
        found = find_experiments(options.experiments_dir, options.reports_dir)
        judged = [(e, judge_experiment(e, now=utc_now(), limits=limits)) for e in found]
    except RunyardError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"Found {len(judged)} experiment(s) in {options.experiments_dir}\n")
    _print_summary(judged)
    if options.list_only or not judged:
        return 0
    chosen = [(e, j) for e, j in judged if j.status is not Status.ACTIVE and options.status in ("all", j.status.value)]
    if options.status == Status.ACTIVE.value:
        chosen = [(e, j) for e, j in judged if j.status is Status.ACTIVE]
    print("" if chosen else "\nNothing to archive")
    return max([_archive(pair, options.archive_dir, options.dry_run) for pair in chosen], default=0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--list-only", action="store_true", help="only show the experiments and their status")
    add(
        "--status",
        choices=["active", "success", "failed", "stale", "all"],
        default="all",
        help="which to archive; all: those that are not active (default)",
    )
    add("--dry-run", action="store_true", help="show what would be done; change nothing")
    add("--max-active-days", type=float, default=7.0, help="so long after a change an experiment is active (default 7)")
    add("--max-stale-days", type=float, default=30.0, help="then one without a verdict is stale (default 30)")
    add("--experiments-dir", type=Path, default=Path("experiments"), help="default: experiments")
    add("--archive-dir", type=Path, default=Path("experiments-archive"), help="default: experiments-archive")
    add("--reports-dir", type=Path, default=Path("reports"), help="the common reports (default: reports)")
    return parser


def _print_summary(judged: Sequence[Judged]) -> None:
    print("Experiment Summary:")
    by_status = {status: [e.name for e, j in judged if j.status is status] for status in Status}
    for status, names in by_status.items():
        print(f"  {status.value.capitalize()}: {len(names)}")
    for status, names in by_status.items():
        if names:
            print("\n".join([f"\n{status.value.upper()}:", *(f"  - {name}" for name in names)]))


def _archive(pair: Judged, archive: Path, dry_run: bool) -> int:
    experiment, judged = pair
    place = archive / experiment.name
    if dry_run:
        print(f"[DRY RUN] Would archive: {experiment.name}")
        print(f"  Status: {judged.status.value}")
        print(f"  Archive to: {place}")
        print("\n".join(["  Files to copy:", *(f"    - {name}" for name in files_to_keep(experiment))]))
        print(f"  Reports: {len(experiment.reports)} files")
        return 0
    try:
        archive_experiment(experiment, judged, archive, now=utc_now())
    except (RunyardError, OSError) as error:
        print(f"\u2717 {experiment.name}: {error}", file=sys.stderr)
        return 1
    print(f"\u2713 Archived {experiment.name} ({judged.status.value}: {judged.why}) to {place}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
