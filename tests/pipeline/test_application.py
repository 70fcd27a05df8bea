"""``python -m runyard.pipeline``: stages without any Python of the user's."""

from __future__ import annotations

from tests.conftest import Shell

PROGRAM = ("-m", "runyard.pipeline", "--config-dir", ".")


def test_a_sweep_is_filed_under_pipeline_or_what_it_is_called(shell: Shell) -> None:
    (shell.cwd / "pipe.yaml").write_text('lr: 1\nstages: {train: {command: "echo {cfg.lr}"}}\n')
    words = (*PROGRAM, "-cn", "pipe", "-m", "+runyard=local")
    shell.python(*words, "lr=1,2", check=0)
    assert shell.only_sweep("pipeline").is_dir()
    shell.python(*words, "hydra.callbacks.runyard.experiment=mine", check=0)
    assert shell.only_sweep("mine").is_dir()


def test_a_config_without_stages_is_told_so(shell: Shell) -> None:
    (shell.cwd / "bare.yaml").write_text("lr: 1\n")
    done = shell.python(*PROGRAM, "-cn", "bare", "-m", "+runyard=local", check=1)
    assert "no stages are declared" in done.stderr
