"""The examples of docs/analysis.md run as they are written, in their order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from runyard.analyze import Results, load
from runyard.analyze.mixture import MixtureKind

REPO = Path(__file__).parents[2]
PAGE = (REPO / "docs" / "analysis.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def run(folder: Path, language: str, text: str) -> str:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(REPO / "src"),
    }
    command = ["bash", "-ec", text] if language == "bash" else [sys.executable, "-c", text]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_examples_run_and_print_what_the_page_shows(tmp_path: Path) -> None:
    (_, application), *others = BLOCKS
    (tmp_path / "fit.py").write_text(application)

    said = "\n".join(run(tmp_path, language, text) for language, text in others if language)

    shown = [text for language, text in others if not language]
    assert len(shown) == 4
    for text in shown[:3]:  # the fourth is of another sweep
        assert text in said


def test_every_kind_of_mixture_is_explained() -> None:
    for kind in MixtureKind.__args__:  # type: ignore[attr-defined]
        assert re.search(rf"^\|.*`{kind}`.*\|.*\|$", PAGE, re.MULTILINE), kind


def test_every_public_name_of_results_is_on_the_page() -> None:
    for name in vars(Results):
        assert name.startswith("_") or f"`.{name}" in PAGE, name
    assert f"`runyard.{load.__name__}`" in PAGE
