#!/usr/bin/env python3
"""Two runs, sweeps or commits side by side: compare.csv and compare.png.

    python scripts/compare_results.py BASELINE CANDIDATE [--outdir results/compare] [--metric asr]

A front only: ``runyard compare`` does it, and takes the options that are not here.
"""

from __future__ import annotations

import argparse
import sys

try:
    from runyard.cli import main as runyard
except ModuleNotFoundError as error:
    sys.exit(f"{error}: this needs the project's own Python; run 'make venv', then .venv/bin/python {sys.argv[0]}")


def arguments(argv: list[str]) -> list[str]:
    """The arguments of ``runyard compare``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("baseline", help="an id, a path, SWEEP/JOB, a commit, or experiment:NAME")
    parser.add_argument("candidate", nargs="+", help="likewise; several are compared with the one baseline")
    parser.add_argument("--outdir", help="the folder for compare.csv and compare.png")
    parser.add_argument("--metric", action="append", default=[], help="only this metric; can be repeated")
    known, more = parser.parse_known_args(argv)
    metrics = [word for metric in known.metric for word in ("--metric", metric)]
    out = ["--out", known.outdir] if known.outdir else []
    return ["compare", known.baseline, *known.candidate, *metrics, *out, *more]


if __name__ == "__main__":
    runyard(arguments(sys.argv[1:]))
