from __future__ import annotations

from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from runyard.base import RunyardError
from runyard.cli.exporting import export


def call(*arguments: str) -> Result:
    return CliRunner().invoke(export, list(arguments))


def test_a_wrong_target_is_answered_with_the_nearest(make_sweep: Any) -> None:
    make_sweep()
    error = call("latest", "--to", "mlfow").exception
    assert isinstance(error, RunyardError)
    assert error.exit_code == 2
    assert "did you mean 'mlflow'" in str(error)


def test_an_option_of_the_other_target_is_refused(make_sweep: Any) -> None:
    make_sweep()
    error = call("latest", "--to", "tensorboard", "--experiment", "x").exception
    assert isinstance(error, RunyardError)
    assert "has no --experiment" in str(error)


def test_the_command_says_what_it_wrote_and_where(make_sweep: Any, project: Path) -> None:
    make_sweep()
    done = call("latest", "--to", "tensorboard", "--out", "board")
    assert done.exit_code == 0, done.exception
    assert "3 jobs written" in done.output
    assert "tensorboard --logdir board" in done.output
    assert sorted(path.name for path in (project / "board").iterdir() if path.is_dir()) == ["0", "1", "2"]
