"""Memory, devices and processors: who asks for what is recorded, honoured, and told when it runs out."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import read_json

MEMORY_APP = """
import hydra
@hydra.main(version_base='1.3', config_path=None)
def main(cfg):
    if cfg.i == 1:
        bytearray(10 ** 15)
    if cfg.i == 2:
        [bytearray(b'x') * 10 ** 7 for _ in range(200)]
    return {'i': cfg.i}
if __name__ == '__main__': main()
"""


@pytest.fixture
def memory_group():
    """A control group that has 300 MB."""
    group = Path(f"/sys/fs/cgroup/memory/runyard-test-{os.getpid()}")
    if os.geteuid() != 0 or not group.parent.is_dir():
        pytest.skip("limiting memory needs root and the memory controller (v1)")
    group.mkdir()
    (group / "memory.limit_in_bytes").write_text("300M")
    yield group
    subprocess.run(["rmdir", str(group)], check=False)


def test_a_job_that_the_system_kills_for_memory_is_out_of_memory(shell, memory_group):
    (shell.cwd / "memory.py").write_text(MEMORY_APP)
    script = f'echo $$ > {memory_group}/cgroup.procs; exec "$@"'
    command = [sys.executable, "memory.py", "-m", "+runyard=local", "+i=0,1,2,3", "hydra.launcher.n_jobs=1"]
    subprocess.run(
        ["bash", "-c", script, "-", *command], cwd=shell.cwd, env=shell.environment(), capture_output=True, check=False
    )
    runs = [read_json(shell.only_sweep("memory") / str(job) / "run.json") for job in range(4)]
    assert [run["state"] for run in runs] == ["COMPLETED", "OUT_OF_MEMORY", "OUT_OF_MEMORY", "COMPLETED"]
    assert runs[2]["attempts"][0]["signal"] == "SIGKILL"


def test_an_allocation_that_fails_is_out_of_memory_too(shell):
    (shell.cwd / "memory.py").write_text(MEMORY_APP)
    shell.python("memory.py", "-m", "+runyard=local", "+i=0,1", check=1)
    run = read_json(shell.only_sweep("memory") / "1" / "run.json")
    assert (run["state"], run["attempts"][0]["error"]["type"]) == ("OUT_OF_MEMORY", "MemoryError")


DEVICE_APP = """
import hydra, os, time
from pathlib import Path
@hydra.main(version_base='1.3', config_path=None)
def main(cfg):
    device = os.environ.get('CUDA_VISIBLE_DEVICES', 'none')
    held = Path(f'held-{device}')
    held.touch(exist_ok=False)  # fails when another job has the device
    time.sleep(0.2)
    held.unlink()
    return {'device': int(device)}
if __name__ == '__main__': main()
"""


def test_a_device_is_lent_to_one_job_at_a_time(shell):
    (shell.cwd / "device.py").write_text(DEVICE_APP)
    lease = ["hydra.launcher.gpus=[3,5]", "hydra.launcher.resources.gpus=1", "hydra.launcher.n_jobs=4"]
    shell.python("device.py", "-m", "+runyard=local", "+i=range(8)", *lease, check=0)
    runs = [read_json(path) for path in shell.only_sweep("device").glob("*/run.json")]
    assert {run["metrics"]["device"] for run in runs} == {3, 5}
    assert all(run["resources"] == {"cpus": 1, "gpus": 1, "mem_gb": None, "nodes": 1} for run in runs)


def test_jobs_that_ask_for_every_processor_run_one_at_a_time(shell):
    lease = ["hydra.launcher.cpus=2", "hydra.launcher.resources.cpus=2", "hydra.launcher.n_jobs=4"]
    shell.app("short_app", "-m", "+runyard=local", "i=range(4)", "sleep_s=0.1", *lease, check=0)
    runs = sorted(
        (read_json(p)["attempts"][0] for p in shell.only_sweep("short_app").glob("*/run.json")),
        key=lambda attempt: attempt["started_at"],
    )
    assert all(one["ended_at"] <= two["started_at"] for one, two in itertools.pairwise(runs))
