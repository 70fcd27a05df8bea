"""The examples of docs/sweeps.md run as they are written, and make as many jobs as they say."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
PAGE = (REPO / "docs" / "sweeps.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```bash\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SETTING, *EXAMPLES = BLOCKS


def test_every_example_says_how_many_jobs_it_makes():
    assert SETTING.startswith("export JOBS=")
    assert len(EXAMPLES) >= 9
    assert all(re.search(r"# \d+ jobs$", block, re.MULTILINE) for block in EXAMPLES)


@pytest.mark.parametrize("block", EXAMPLES, ids=[f"example{n}" for n in range(len(EXAMPLES))])
def test_an_example_runs_and_makes_the_jobs_it_says(tmp_path, block):
    for name in ("conf", "tests/app/dispatch"):
        shutil.copytree(REPO / name, tmp_path / name)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(REPO / "src"),
    }
    script = f"set -e\n{SETTING}\n{block}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    said = [int(number) for number in re.findall(r"# (\d+) jobs$", block, re.MULTILINE)]
    planned = re.findall(r"^(\d+) jobs: .*\n(?:  .*\n)*nothing was run$", done.stdout, re.MULTILINE)
    completed = re.findall(r"^sweep \S+: (\d+) COMPLETED(?: \(\d+ reused\))?$", done.stderr, re.MULTILINE)
    assert sorted(map(int, [*planned, *completed])) == sorted(said)
