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


LOG_APP = """
import hydra, os, time
@hydra.main(version_base='1.3', config_path=None)
def main(cfg):
    device = os.environ['CUDA_VISIBLE_DEVICES']
    begin = time.monotonic()
    time.sleep(0.02)
    with open('../../../../leases.log', 'a') as log:
        log.write(f'{device} {begin} {time.monotonic()}\\n')
if __name__ == '__main__': main()
"""


def _most_at_a_time(log, device):
    """How many jobs had a device at one moment, at the most."""
    moments = []
    for line in log.read_text().splitlines():
        name, begin, end = line.split()
        if name == device:
            moments += [(float(begin), 1), (float(end), -1)]
    return max(itertools.accumulate(change for _, change in sorted(moments)), default=0)


@pytest.mark.parametrize(("gpus", "at_a_time"), [("1", 1), ("0.5", 2)])
def test_two_sweeps_of_one_machine_never_take_the_same_device(shell, gpus, at_a_time):
    (shell.cwd / "device.py").write_text(LOG_APP)
    arguments = ["device.py", "-m", "+runyard=local", "+i=range(40)", "hydra.job.chdir=true"]
    lease = ["hydra.launcher.gpus=4", f"hydra.launcher.resources.gpus={gpus}", "hydra.launcher.n_jobs=6"]
    sweeps = [shell.start(*arguments, *lease, log=f"{n}.log") for n in range(2)]
    assert [sweep.wait(120) for sweep in sweeps] == [0, 0]
    log = shell.cwd / "leases.log"
    assert len(log.read_text().splitlines()) == 80
    assert [_most_at_a_time(log, str(device)) <= at_a_time for device in range(5)] == [True] * 5
    assert max(_most_at_a_time(log, str(device)) for device in range(4)) == at_a_time


SIZES_APP = """
import hydra, os
from dataclasses import dataclass, field
from hydra.core.config_store import ConfigStore
@dataclass
class Size:
    gpus: float = 0.5
@dataclass
class Conf:
    size: int = 1
    needs: Size = field(default_factory=Size)
ConfigStore.instance().store(name='conf', node=Conf)
@hydra.main(version_base='1.3', config_path=None, config_name='conf')
def main(cfg):
    return {'devices': len(os.environ['CUDA_VISIBLE_DEVICES'].split(','))}
if __name__ == '__main__': main()
"""


def _asked(folder):
    runs = [read_json(folder / str(job) / "run.json") for job in range(2)]
    return [(run["state"], run["resources"].get("gpus"), run["metrics"].get("devices")) for run in runs]


def test_a_rule_gives_a_big_job_more(shell):
    (shell.cwd / "sizes.py").write_text(SIZES_APP)
    rules = ["hydra.launcher.gpus=4", "hydra.launcher.resources.gpus=0.5"]
    rules += ['hydra.launcher.resources.rules=[{when:"size=9",gpus:2}]']
    shell.python("sizes.py", "-m", "+runyard=local", "size=1,9", *rules, check=0)
    assert _asked(shell.only_sweep("sizes")) == [("COMPLETED", 0.5, 1), ("COMPLETED", 2, 2)]


def test_a_config_says_what_its_job_asks_for(shell):
    (shell.cwd / "sizes.py").write_text(SIZES_APP)
    asks = ["hydra.launcher.gpus=4", "hydra.launcher.resources_from=needs"]
    shell.python("sizes.py", "-m", "+runyard=local", "needs.gpus=0.25,3", *asks, check=0)
    assert _asked(shell.only_sweep("sizes")) == [("COMPLETED", 0.25, 1), ("COMPLETED", 3, 3)]


def test_what_can_never_be_had_is_refused_before_anything_runs(shell):
    (shell.cwd / "sizes.py").write_text(SIZES_APP)
    asks = ["hydra.launcher.gpus=4", "hydra.launcher.resources_from=needs"]
    done = shell.python("sizes.py", "-m", "+runyard=local", "needs.gpus=0.25,5", *asks, check=2)
    assert "a job asks for 5 gpus and this machine offers 4" in done.stderr
    assert not shell.sweeps("sizes")


def test_more_memory_than_a_job_asked_for_is_not_to_be_had(shell):
    (shell.cwd / "memory.py").write_text(MEMORY_APP)
    limit = "hydra.launcher.resources.mem_gb=1"
    shell.python("memory.py", "-m", "+runyard=local", "+i=0,2", limit, check=1)
    runs = [read_json(shell.only_sweep("memory") / str(job) / "run.json") for job in range(2)]
    assert [run["state"] for run in runs] == ["COMPLETED", "OUT_OF_MEMORY"]
    assert runs[1]["attempts"][0]["error"]["type"] == "MemoryError"


def test_a_job_that_dies_of_its_memory_limit_is_out_of_memory(shell):
    app = MEMORY_APP.replace("return {'i': cfg.i}", "import os; kept = bytearray(b'x') * 10 ** 9; os.abort()")
    (shell.cwd / "memory.py").write_text(app)
    shell.python("memory.py", "-m", "+runyard=local", "+i=0,3", "hydra.launcher.resources.mem_gb=1.2", check=1)
    run = read_json(shell.only_sweep("memory") / "0" / "run.json")
    assert run["state"] == "OUT_OF_MEMORY"
    assert "SIGABRT" in run["attempts"][0]["error"]["message"]


THREADS_APP = """
import hydra, numpy, os
from threadpoolctl import threadpool_info
@hydra.main(version_base='1.3', config_path=None)
def main(cfg):
    pools = threadpool_info()
    assert pools
    return {'threads': max(pool['num_threads'] for pool in pools), 'told': int(os.environ['OMP_NUM_THREADS'])}
if __name__ == '__main__': main()
"""


def test_libraries_start_no_more_threads_than_the_job_has_processors(shell):
    (shell.cwd / "threads.py").write_text(THREADS_APP)
    asks = ["hydra.launcher.cpus=4", 'hydra.launcher.resources.rules=[{when:"i=2",cpus:2}]', "hydra.launcher.n_jobs=2"]
    shell.python("threads.py", "-m", "+runyard=local", "+i=1,2", *asks, check=0)
    runs = [read_json(shell.only_sweep("threads") / str(job) / "run.json") for job in range(2)]
    assert [run["metrics"] for run in runs] == [{"threads": 1, "told": 1}, {"threads": 2, "told": 2}]


def test_jobs_that_ask_for_every_processor_run_one_at_a_time(shell):
    lease = ["hydra.launcher.cpus=2", "hydra.launcher.resources.cpus=2", "hydra.launcher.n_jobs=4"]
    shell.app("short_app", "-m", "+runyard=local", "i=range(4)", "sleep_s=0.1", *lease, check=0)
    runs = sorted(
        (read_json(p)["attempts"][0] for p in shell.only_sweep("short_app").glob("*/run.json")),
        key=lambda attempt: attempt["started_at"],
    )
    assert all(one["ended_at"] <= two["started_at"] for one, two in itertools.pairwise(runs))
