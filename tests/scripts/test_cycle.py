"""The whole life of results, in one script that the docs name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).parents[2]


def test_from_a_sweep_to_a_champion_and_back_from_the_archive(shell) -> None:
    done = subprocess.run(
        [str(REPO / "scripts" / "cycle.sh"), str(shell.cwd / "cycle")],
        env=shell.environment(BIN=str(Path(sys.executable).parent)),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=280,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "metrics are equal to the last digit" in done.stdout
    assert done.stdout.rstrip().endswith("== done")
    assert "scripts/cycle.sh" in (REPO / "docs" / "lifecycle.md").read_text()
