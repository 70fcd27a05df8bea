"""``python -m benchmarks``: measures, keeps the results, and writes the page."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from benchmarks.commands import REPO, BenchmarkError, Place
from benchmarks.facts import machine_facts
from benchmarks.report import BENCHMARKS, drop_result, page, read_results, write_result
from benchmarks.sizes import SIZES, Sizes


def main(argv: Sequence[str] | None = None) -> int:
    """The command; returns the exit code."""
    wanted = _arguments(argv)
    sizes = SIZES[wanted.size]
    names = [] if wanted.page_only else wanted.only or list(BENCHMARKS)
    root = Path(tempfile.mkdtemp(prefix="runyard-bench-"))
    try:
        failed = [
            name for name in names if not _is_measured(name, sizes, Place(root, wanted.ray_python), wanted.results)
        ]
    finally:
        shutil.rmtree(root, ignore_errors=True)
    wanted.page.write_text(page(read_results(wanted.results)), encoding="utf-8")
    print(f"written: {wanted.page}")
    return 1 if failed else 0


def _is_measured(name: str, sizes: Sizes, place: Place, results: Path) -> bool:
    """Runs one benchmark and keeps its result; says what it does, and False when a measured program failed."""
    began = time.monotonic()
    print(f"{name} ({sizes.name}) ...", flush=True)
    try:
        measured = BENCHMARKS[name].measure(sizes, place)
    except BenchmarkError as error:
        drop_result(results, name)
        print(f"{name} failed: {error}", file=sys.stderr, flush=True)
        return False
    date = datetime.now(timezone.utc).date().isoformat()
    write_result(results, name, {"size": sizes.name, "date": date, "machine": machine_facts(), "measured": measured})
    print(f"{name}: done in {time.monotonic() - began:.0f} s", flush=True)
    return True


def _absolute(text: str) -> Path:
    return Path(text).absolute()  # not resolved: the link to an interpreter is what makes it an environment's


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("--quick", dest="size", action="store_const", const="quick", default="full")
    parser.add_argument("--tiny", dest="size", action="store_const", const="tiny", help="next to nothing, for tests")
    parser.add_argument("--only", nargs="+", choices=list(BENCHMARKS), help="these, and the page from what is kept")
    parser.add_argument("--page-only", action="store_true", help="measure nothing; write the page from what is kept")
    parser.add_argument(
        "--ray-python", type=_absolute, help="the interpreter of an environment with hydra-ray-launcher"
    )
    parser.add_argument("--results", type=Path, default=REPO / "benchmarks" / "results", help="where results are kept")
    parser.add_argument("--page", type=Path, default=REPO / "docs" / "benchmarks.md", help="the page to write")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
