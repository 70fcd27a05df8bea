#!/usr/bin/env python3
"""The trials of a finished sweep of the workload airline, gathered: trials.jsonl and asr.csv in its directory.

    python scripts/gather_trials.py multirun/airline_escalating_v1/latest

The experiments do this themselves when they end. This is for a sweep that was resumed, or of which a job failed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

try:
    from app.workloads.airline.gather import gather
    from runyard import UsageError
except ModuleNotFoundError as error:
    sys.exit(f"{error}: this needs the project's own Python; run 'make venv', then .venv/bin/python {sys.argv[0]}")


def main(argv: Sequence[str]) -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="gather_trials.py",
        description="Gather the trials of a finished sweep of airline: trials.jsonl and asr.csv in its directory.",
        epilog="Exit code: 0 every job is in; 1 some did not complete and are left out; 2 wrong usage.",
    )
    parser.add_argument("sweep", type=Path, help="the sweep's directory")
    try:
        gathered = gather(parser.parse_args(argv).sweep)
    except UsageError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    for sentence in gathered.left_out:
        print(sentence, file=sys.stderr)
    print(gathered.trials, gathered.asr, sep="\n")
    return 1 if gathered.left_out else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
