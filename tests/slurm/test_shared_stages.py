"""Stages that jobs share, where the jobs run on different workers of a cluster."""

from __future__ import annotations

from collections import Counter

import pytest
import yaml
from tests.conftest import APPS, read_json
from tests.slurm.clusters import Cluster, ClusterShell
from tests.slurm.test_sweeps import rows, states

WORKERS = 3


@pytest.mark.parametrize("kill", [False, True])
def test_workers_share_a_stage_also_when_its_first_runner_is_killed(
    bare_cluster: Cluster, shell: ClusterShell, kill: bool
) -> None:
    target = "staged_functions"
    config = {
        "gamma": 0, "tau": 0, "day": 0, "d": 60, "kill": kill, "log": str(shell.cwd / "log.txt"),
        "stages": {
            "bound": {"_target_": f"{target}.bound", "cache": {"keys": ["day", "d"]}},
            "play": {"_target_": f"{target}.play", "needs": ["bound"]},
        },
    }  # fmt: skip
    (shell.cwd / "pipe.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    words = ["--config-dir", str(shell.cwd), "--config-name", "pipe", "-m", "+runyard=slurm"]
    words += ["gamma=0,1,2", "tau=0,1", "day=1,2", f"hydra.launcher.workers={WORKERS}", "hydra.sweep.dir=sweep"]
    shell.python("-m", "runyard.pipeline", *words, check=0, PYTHONPATH=str(APPS))
    shell.runyard("wait", "sweep", check=int(kill))
    sweep = shell.cwd / "sweep"
    if kill:
        assert states(sweep) == {"COMPLETED": 11, "FAILED": 1}
        shell.runyard("resume", "sweep", check=0, PYTHONPATH=str(APPS))
        shell.runyard("wait", "sweep", check=0)
    assert states(sweep) == {"COMPLETED": 12}
    begun = Counter((shell.cwd / "log.txt").read_text().splitlines())
    assert begun.pop("whole") == 2
    assert sum(begun.values()) == 2 + kill
    expected = {str(job): float(day * 60 * gamma + tau) for job, (gamma, tau, day) in enumerate(_grid())}
    assert {row["job"]: float(row["savings"]) for row in rows(sweep)} == expected
    how = Counter(read_json(path)["how"].split(":")[0][:6] for path in sweep.glob("*/bound/stage.json"))
    assert how == {"run": 2, "cached": 10}


def _grid() -> list[tuple[int, int, int]]:
    return [(gamma, tau, day) for gamma in range(3) for tau in range(2) for day in (1, 2)]
