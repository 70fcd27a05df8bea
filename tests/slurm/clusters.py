"""A cluster as tests see it: Slurm's commands, what can befall it, and how one is started and ended."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.conftest import Shell

SCRIPTS = Path(__file__).parent / "cluster"
# Slurm's commands and jobs leave and heed variables of these names: those of an outer job must not be inherited.
SLURMS_PREFIXES = ("SLURM", "SBATCH_", "SALLOC_", "SRUN_", "SQUEUE_", "SACCT_", "SCANCEL_", "SINFO_", "SCONTROL_")


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One Slurm cluster: a throwaway one, or the user's own.

    Attributes:
        environment: All variables that commands run with; none of an outer job's, HYDRA_* and RUNYARD_* neither.
        has_accounting: Whether sacct answers.
        nodes: Names of its nodes.
        folder: Where a throwaway cluster lies; None: the cluster is the user's.
        work: Jobs that run below this directory are the tests'. On a throwaway cluster all are.
    """

    environment: dict[str, str] = field(repr=False)
    has_accounting: bool
    nodes: list[str]
    folder: Path | None
    work: Path

    @property
    def conf(self) -> str:
        """Path of the config that Slurm's commands read; empty: the one of the system."""
        return self.environment.get("SLURM_CONF", "")

    def run(self, *command: str, cwd: Path | None = None, timeout_s: float = 60) -> str:
        """Runs a command on the login node and returns what it prints; one that fails ends the test."""
        done = subprocess.run(
            command,
            cwd=cwd or self.work,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def squeue(self, *args: str) -> str:
        return self.run("squeue", *args)

    def sacct(self, *args: str) -> str:
        return self.run("sacct", *args)

    def scontrol(self, *args: str) -> str:
        return self.run("scontrol", *args)

    def scancel(self, *args: str) -> str:
        return self.run("scancel", *args)

    def sbatch(self, *args: str, cwd: Path) -> str:
        """Submits a job, whose output goes below `cwd`; returns its number as text."""
        return self.run("sbatch", "--parsable", *args, cwd=cwd).strip()

    def job(self, number: str) -> dict[str, str]:
        """What `scontrol show job` tells of one job: JobState, Reason, Restarts, ExitCode, ..."""
        return dict(word.split("=", 1) for word in self.scontrol("show", "job", "-o", number).split() if "=" in word)

    def await_job(self, number: str, *states: str, timeout_s: float = 60) -> dict[str, str]:
        """Waits until a job is in one of these states, and returns what Slurm tells of it then."""
        seen: dict[str, str] = {}

        def there() -> bool:
            seen.update(self.job(number))
            return seen["JobState"] in states

        _wait(there, timeout_s, lambda: f"job {number} is not {' or '.join(states)}, but {seen}")
        return seen

    def jobs(self) -> list[str]:
        """Numbers of the tests' jobs that Slurm still has in its queue; completing ones too."""
        rows = [row.split("|", 1) for row in self.squeue("-h", "--me", "-r", "-o", "%i|%Z").splitlines()]
        return [number for number, where in rows if self.folder or Path(where).is_relative_to(self.work)]

    def wait_idle(self, timeout_s: float = 60) -> None:
        """Waits until no job of the tests is left."""
        _wait(lambda: not self.jobs(), timeout_s, lambda: f"jobs are left:\n{self.squeue()}")

    def node_states(self) -> dict[str, str]:
        """State of every node, in Slurm's words: idle, mixed, allocated, down, down*, drained, ..."""
        return dict(row.split("|") for row in self.run("sinfo", "-h", "-N", "-o", "%N|%T").splitlines())

    def kill_node(self, name: str) -> None:
        """The node dies with all that runs on it. The controller has to find that out: some 16 s."""
        self._script("node", "kill", name)

    def start_node(self, name: str) -> None:
        """The node's slurmd is started again."""
        self._script("node", "start", name)

    def down_node(self, name: str) -> None:
        """The controller is told that the node is down."""
        self._script("node", "down", name)

    def resume_node(self, name: str) -> None:
        """The controller is told that the node is back."""
        self._script("node", "resume", name)

    def stop_controller(self) -> None:
        """Slurm's controller ends; jobs go on, and no command of Slurm answers."""
        self._script("controller", "stop")

    def start_controller(self) -> None:
        """Slurm's controller is started again, with the queue that it had."""
        self._script("controller", "start")

    def restart_controller(self) -> None:
        self.stop_controller()
        self.start_controller()

    def tidy(self) -> None:
        """Cancels the jobs that a test has left, and mends the nodes and the controller."""
        if self.folder and not (self.folder / "run" / "slurmctld.pid").exists():
            self.start_controller()
        if left := self.jobs():
            self.scancel(*left)
        if self.folder:
            self._mend_nodes()
        self.wait_idle()

    def _mend_nodes(self) -> None:
        def mended() -> bool:
            states = self.node_states()
            for name, state in states.items():  # again and again: Slurm drains one late that was slow to end a job
                if not (Path(f"{self.folder}/run/slurmd.{name}.pid")).exists():
                    self.start_node(name)
                elif state.rstrip("*").startswith(("down", "drained")):
                    self.resume_node(name)
            return set(states.values()) <= {"idle", "mixed", "allocated", "completing"}

        _wait(mended, 60, lambda: f"not all nodes came back: {self.node_states()}")

    def needs_to_be_ours(self, what: str) -> None:
        """Skips the test where the cluster is the user's."""
        if self.folder is None:
            pytest.skip(f"{what}: not on a cluster that is not the tests' own")

    def _script(self, name: str, *args: str) -> None:
        self.needs_to_be_ours(f"'{name} {args[0]}'")
        self.run(str(SCRIPTS / name), *args)


@dataclass
class ClusterShell(Shell):
    """Runs programs in one directory, as a user on the login node of a cluster."""

    cluster: Cluster = field(kw_only=True)

    def environment(self, **extra: str) -> dict[str, str]:
        return super().environment(**{**self.cluster.environment, **extra})


def clean_environment() -> dict[str, str]:
    """This process's environment, less what an outer job, pytest or Hydra has put there. SLURM_CONF stays."""
    ours = (*SLURMS_PREFIXES, "HYDRA_", "RUNYARD_", "COV_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(ours) and k != "PYTHONWARNINGS"}
    return kept | {k: v for k, v in os.environ.items() if k == "SLURM_CONF"}


def why_not() -> str | None:
    """Why no cluster can be had for the tests, in a sentence; None: one can."""
    on_debian = shutil.which("apt-get") is not None and Path("/etc/debian_version").exists()
    if wants_users_cluster():
        return None if _answers() else "RUNYARD_TEST_CLUSTER=1 asks for your cluster, and sinfo does not answer"
    if _has_config() and _answers():
        return "sinfo finds a cluster of yours; RUNYARD_TEST_CLUSTER=1 runs them there"
    if os.geteuid() == 0 and on_debian:
        return None
    return "here is neither root on Debian, to start a cluster, nor a sinfo that finds one"


def wants_users_cluster() -> bool:
    return os.environ.get("RUNYARD_TEST_CLUSTER") == "1"


def users_cluster(work: Path) -> Cluster:
    """The cluster that Slurm's commands find here."""
    environment = clean_environment()

    def answer(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    nodes = sorted(set(answer("sinfo", "-h", "-N", "-o", "%N").stdout.split()))
    accounting = answer("sacct", "-n", "-X").returncode == 0
    return Cluster(environment=environment, has_accounting=accounting, nodes=nodes, folder=None, work=work)


def start_cluster(work: Path, *, accounting: bool, **settings: str) -> Cluster:
    """Starts a throwaway cluster, which also goes down when this process is killed.

    Args:
        work: A directory for the commands to run in.
        accounting: Whether it has a database of its jobs.
        settings: Further variables for the script `up`, such as SLURM_UP_NODES.
    """
    variables = {"SLURM_UP_ACCOUNTING": str(int(accounting)), "SLURM_UP_FOR": str(os.getpid()), **settings}
    environment = clean_environment() | variables
    environment.pop("SLURM_CONF", None)
    done = subprocess.run(
        [str(SCRIPTS / "up")], env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"no cluster came up\n{done.stderr}"
    conf = done.stdout.strip().removeprefix("export SLURM_CONF=")
    folder = Path(conf).parent.parent
    sbin = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    kept = {k: v for k, v in environment.items() if not k.startswith("SLURM_UP_")}
    return Cluster(
        environment={**kept, "SLURM_CONF": conf, "PATH": sbin},
        has_accounting=accounting,
        nodes=[f"n{number + 1}" for number in range(int(settings.get("SLURM_UP_NODES", "4")))],
        folder=folder,
        work=work,
    )


def end_cluster(cluster: Cluster, *, keep_logs: bool) -> None:
    """Takes a throwaway cluster down; leaves the user's alone."""
    if cluster.folder:
        cluster.run(str(SCRIPTS / "down"), str(cluster.folder), timeout_s=120)
        if not keep_logs:
            shutil.rmtree(cluster.folder)


def _has_config() -> bool:
    # Asked without any config, Slurm's commands look for one in the network. Root has a cluster without that.
    places = [os.environ.get("SLURM_CONF", "/etc/slurm/slurm.conf"), "/run/slurm/conf/slurm.conf"]
    return os.geteuid() != 0 or any(Path(place).exists() for place in places)


def _answers() -> bool:
    """Whether sinfo is there and finds nodes."""
    if shutil.which("sinfo") is None:
        return False
    try:
        done = subprocess.run(
            ["sinfo", "-h"], env=clean_environment(), capture_output=True, text=True, timeout=10, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and bool(done.stdout.strip())


def _wait(condition: Callable[[], bool], timeout_s: float, told: Callable[[], str]) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"after {timeout_s:g} s {told()}"
        time.sleep(0.1)
