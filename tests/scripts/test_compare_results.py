from __future__ import annotations

from pathlib import Path

from tests.analyze.factory import grid, write_a_sweep

SCRIPT = Path(__file__).parents[2] / "scripts" / "compare_results.py"


def test_two_sweeps_become_a_table_and_a_picture(shell) -> None:
    for name, less in (("one", 0.0), ("two", 0.5)):
        points = list(grid(lr=(0.1, 0.2), seed=(0, 1, 2)))
        folder = shell.cwd / "multirun" / "train" / name
        write_a_sweep(folder, points, lambda p, less=less: {"loss": p["lr"] + p["seed"] ** 2 / 1e3 - less, "acc": 1.0})
    done = shell.python(str(SCRIPT), "one", "two", "--outdir", "compared", "--metric", "loss", "--min", "loss", check=0)
    assert "loss" in done.stdout
    table = (shell.cwd / "compared" / "compare.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in table[1:]] == ["loss"] * 3
    assert (shell.cwd / "compared" / "compare.png").read_bytes().startswith(b"\x89PNG")


def test_a_name_of_nothing_is_wrong_usage(shell) -> None:
    done = shell.python(str(SCRIPT), "one", "two", check=2)
    assert "there is none at all" in done.stderr
