"""What cannot be submitted is refused in three parts with exit code 2, and leaves neither a job nor half a sweep."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import APPS
from tests.slurm.clusters import Cluster, ClusterShell
from tests.slurm.test_sweeps import SLURM

HELD = "+hydra.launcher.hold=true"

# A sweeper that needs each batch's results, as optimizers do: it chooses the second batch by the first.
THEIR_SWEEPER = """
from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper


class BestOfSweeper(Sweeper):
    def setup(self, *, hydra_context, task_function, config):
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments):
        first = self.launcher.launch([[*arguments, f"i={i}"] for i in (2, 5)], initial_job_idx=0)
        best = max(job.return_value["square"] for job in first)
        second = self.launcher.launch([[*arguments, f"i={best}"]], initial_job_idx=2)
        print("found", second[0].return_value["square"])


ConfigStore.instance().store(
    group="hydra/sweeper",
    name="best_of",
    node={"_target_": "hydra_plugins.best_of.sweeper.BestOfSweeper"},
    provider="best_of",
)
"""


def refused(shell: ClusterShell, *words: str, **variables: str) -> str:
    """Submits what is to be refused, and returns what is said of it."""
    done: Any = shell.app("short_app", *SLURM, *words, check=2, **variables)
    said = str(done.stderr)
    assert "where:" in said
    assert "to do:" in said
    assert "Traceback" not in said
    assert "submitted to Slurm" not in said + done.stdout
    return said


def assert_nothing_is_left(cluster: Cluster, shell: ClusterShell) -> None:
    assert cluster.jobs() == []
    assert shell.sweeps("short_app") == []
    assert not (shell.cwd / "marks").exists()


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A file system of its own at this folder, of so many bytes."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], timeout=60, check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk that is full")
def test_a_disk_that_fills_up_on_the_way_to_slurm_leaves_nothing_there(
    bare_cluster: Cluster, shell: ClusterShell
) -> None:
    """It fills up at every step in turn, until there is room enough: the last steps come after Slurm has agreed."""
    (shell.cwd / "short_app.py").write_text((APPS / "short_app.py").read_text())  # alone: its frozen code is small
    for size_kb in (4, 20, 48, *range(76, 200, 4)):
        with small_disk(shell.cwd / "multirun", f"{size_kb}k"):
            done = shell.python("short_app.py", *SLURM, "i=range(20)", HELD)
            if done.returncode == 0:
                assert len(bare_cluster.jobs()) == 16
                assert len(shell.sweeps("short_app")) == 1
                return
            assert done.returncode == 2, done.stderr
            assert all(words in done.stderr for words in ("No space left on device", "where:", "to do:"))
            assert bare_cluster.jobs() == [], f"jobs are left after a failure at {size_kb} kB:\n{done.stderr}"
            assert not list((shell.cwd / "multirun").glob("*/*/sweep.json"))
        (shell.cwd / "multirun").rmdir()
    pytest.fail("no size was enough")


def test_arrays_that_slurm_has_taken_are_cancelled_when_it_refuses_another(
    bare_cluster: Cluster, shell: ClusterShell
) -> None:
    # of a job that is held Slurm does not look at what it asks for
    said = refused(shell, "i=1,2", 'hydra.launcher.resources.rules=[{when:"i=2",gpus:50}]')
    assert "hydra.launcher.gpus_per_node" in said
    bare_cluster.wait_idle()
    assert shell.sweeps("short_app") == []


def test_a_controller_that_does_not_answer_refuses_like_any_other_fault(
    bare_cluster: Cluster, shell: ClusterShell
) -> None:
    bare_cluster.needs_to_be_ours("Slurm's controller is stopped")
    bare_cluster.stop_controller()
    try:
        refused(shell, "i=1,2")
    finally:
        bare_cluster.start_controller()
    assert_nothing_is_left(bare_cluster, shell)


@pytest.mark.parametrize(
    ("key", "nearest"), [("worker=3", "'workers'"), ("timeot_min=3", "'timeout_min'"), ("mem=3", "mem_gb")]
)
def test_an_unknown_key_is_refused_with_the_nearest_one(
    bare_cluster: Cluster, shell: ClusterShell, key: str, nearest: str
) -> None:
    said = refused(shell, "i=1,2", f"+hydra.launcher.{key}")
    assert nearest in said
    assert_nothing_is_left(bare_cluster, shell)


def test_a_sweeper_that_needs_results_is_refused_unless_it_waits_and_gets_them_then(
    bare_cluster: Cluster, shell: ClusterShell
) -> None:
    plugin = shell.cwd / "plugins" / "hydra_plugins" / "best_of"
    plugin.mkdir(parents=True)
    (plugin / "__init__.py").touch()
    (plugin / "sweeper.py").write_text(THEIR_SWEEPER)
    found = {"PYTHONPATH": str(shell.cwd / "plugins")}
    said = refused(shell, "hydra/sweeper=best_of", **found)
    assert "BestOfSweeper" in said
    assert "hydra.launcher.wait=true" in said
    assert_nothing_is_left(bare_cluster, shell)
    words = ["hydra/sweeper=best_of", "hydra.launcher.wait=true"]
    assert "found 625" in shell.app("short_app", *SLURM, *words, check=0, **found).stdout
