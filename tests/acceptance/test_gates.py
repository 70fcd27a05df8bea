"""Gates at the end of a sweep and on the command line, as users meet them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SWEEP = ("-m", "+runyard=local", "+lr=0.1,0.2", "+seed=0,1,2")
PROGRAM = """
import hydra

@hydra.main(version_base=None, config_path=None)
def main(cfg):
    return {"loss": cfg.lr + cfg.seed / 1000 - cfg.get("less", 0)}

main()
"""


@pytest.fixture
def program(shell) -> str:
    (shell.cwd / "train.py").write_text(PROGRAM)
    return "train.py"


def newest(folder: Path) -> Path:
    return (folder / "multirun" / "train" / "latest").resolve()


def test_a_sweep_is_judged_when_it_ends_and_again_by_the_same_rules(shell, program: str) -> None:
    shell.python(program, *SWEEP, "hydra.callbacks.runyard.gates=['loss < 0.15']", check=0)
    kept = json.loads((newest(shell.cwd) / "gates.json").read_text())
    assert kept["gates_passed"] is False
    assert [(cell["setting"], cell["gates_passed"]) for cell in kept["cells"]] == [
        ({"+lr": 0.1}, True),
        ({"+lr": 0.2}, False),
    ]
    notes = (newest(shell.cwd) / "notes.md").read_text()
    assert "Gates: 1 of 2 cells meets every rule. Failed: `loss < 0.15` for +lr=0.2" in notes
    told = shell.python("-m", "runyard", "gate", check=1)
    assert "FAILED: 1 of 2 cells meet every rule" in told.stdout
    shell.python("-m", "runyard", "gate", "--any", check=0)
    shell.python("-m", "runyard", "gate", "latest/0", check=0)
    shell.python("-m", "runyard", "gate", "latest/5", check=1)


def test_a_baseline_can_be_named_in_the_config(shell, program: str) -> None:
    shell.python(program, *SWEEP, check=0)
    rules = "hydra.callbacks.runyard.gates=[{metric:loss,min_delta:0.01,mode:min,certain:ci95}]"
    shell.python(program, *SWEEP, "+less=0.02", rules, "hydra.callbacks.runyard.baseline=latest:train", check=0)
    kept = json.loads((newest(shell.cwd) / "gates.json").read_text())
    assert kept["gates_passed"] is True
    assert [cell["verdicts"][0]["baseline"] for cell in kept["cells"]] == [pytest.approx(0.101), pytest.approx(0.201)]


@pytest.mark.parametrize("rule", ["'loss'", "{metric:loss,ratio:2}", "{metric:loss,treshold:2}"])
def test_a_rule_that_is_none_is_refused_before_anything_runs(shell, program: str, rule: str) -> None:
    done = shell.python(program, *SWEEP, f"hydra.callbacks.runyard.gates=[{rule}]")
    assert done.returncode == 2
    assert "hydra.callbacks.runyard.gates" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((shell.cwd / "multirun").glob("train/2*"))


def test_without_rules_the_command_says_where_to_write_them(shell, program: str) -> None:
    shell.python(program, *SWEEP, check=0)
    done = shell.python("-m", "runyard", "gate", check=2)
    assert "--rule" in done.stderr
    (shell.cwd / "gates.yaml").write_text("- loss < 1\n")
    shell.python("-m", "runyard", "gate", "--junit", "gates.xml", check=0)
    assert 'failures="0"' in (shell.cwd / "gates.xml").read_text()


def test_a_baseline_that_is_none_is_refused_before_anything_runs(shell, program: str) -> None:
    done = shell.python(program, *SWEEP, "hydra.callbacks.runyard.baseline=nobody")
    assert done.returncode == 2
    assert "hydra.callbacks.runyard.baseline" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((shell.cwd / "multirun").glob("train/2*"))


def test_verdicts_that_cannot_be_read_are_told_and_not_taken_for_none(shell, program: str) -> None:
    shell.python(program, *SWEEP, "hydra.callbacks.runyard.gates=['loss < 1']", check=0)
    (newest(shell.cwd) / "gates.json").write_text("{")
    shell.python("-m", "runyard", "report")
    for name in ("report.md", "report.html"):
        assert "verdicts cannot be read" in (newest(shell.cwd) / name).read_text()
    shell.python("-m", "runyard", "collect")
    assert "cannot be read" in (newest(shell.cwd) / "notes.md").read_text()
