"""Clusters for the tests of this folder: started when a test first asks for one, and taken down at the end.

A test asks for `accounting_cluster`, `bare_cluster` (without accounting), or `cluster`, and then runs on both.
`shell` is then a shell on its login node. Each process of pytest has clusters of its own, so `-n 2` works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.slurm.clusters import (
    Cluster,
    ClusterShell,
    end_cluster,
    start_cluster,
    users_cluster,
    wants_users_cluster,
    why_not,
)

Started = dict[str, Cluster]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Without a cluster the run ends here, red, and says why: tests that did not run must not look green.

    pytest calls this only where its command line names this folder, or a file in it.
    """
    is_worker = hasattr(session.config, "workerinput")  # of pytest-xdist: the process that started it has looked
    if not is_worker and not session.config.option.collectonly and (reason := why_not()):
        pytest.exit(f"the Slurm tests did not run: {reason}", returncode=1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if wants_users_cluster() and terminalreporter.stats:
        terminalreporter.write_line(
            "The Slurm tests ran on the cluster that sinfo finds here (RUNYARD_TEST_CLUSTER=1)."
        )


@pytest.fixture(scope="session")
def _started(request: pytest.FixtureRequest) -> Iterator[Started]:
    """The clusters that are up, by name."""
    started: Started = {}
    yield started
    for cluster in started.values():
        # a failed test shows the cluster, and with it the folder
        end_cluster(cluster, keep_logs=request.session.testsfailed > 0)


@pytest.fixture(scope="session")
def _cluster_named(_started: Started, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Cluster]:
    """Starts "accounting" or "bare" when it is first asked for; or finds it to be the user's cluster."""

    def named(name: str) -> Cluster:
        if name not in _started:
            work, accounting = tmp_path_factory.getbasetemp(), name == "accounting"
            theirs = wants_users_cluster()
            cluster = users_cluster(work) if theirs else start_cluster(work, accounting=accounting)
            if cluster.has_accounting != accounting:
                pytest.skip(f"your cluster has {'no' if accounting else 'got'} accounting")
            _started[name] = cluster
        return _started[name]

    return named


@pytest.fixture(scope="session")
def accounting_cluster(_cluster_named: Callable[[str], Cluster]) -> Cluster:
    """A cluster that keeps account of its jobs: sacct works."""
    return _cluster_named("accounting")


@pytest.fixture(scope="session")
def bare_cluster(_cluster_named: Callable[[str], Cluster]) -> Cluster:
    """A cluster without accounting."""
    return _cluster_named("bare")


@pytest.fixture(params=["accounting", "bare"])
def cluster(request: pytest.FixtureRequest, _cluster_named: Callable[[str], Cluster]) -> Cluster:
    """Both clusters, one after the other: the test runs twice."""
    return _cluster_named(request.param)


@pytest.fixture(autouse=True)
def _tidy(_started: Started) -> Iterator[None]:
    """After a test nothing runs any more, and every node serves."""
    yield
    for cluster in _started.values():
        cluster.tidy()


@pytest.fixture
def shell(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[ClusterShell]:
    """A directory, and programs run in it, on the login node of the cluster that the test asks for."""
    fixtures = ("cluster", "accounting_cluster", "bare_cluster")
    (asked_for,) = [name for name in fixtures if name in request.fixturenames]
    shell = ClusterShell(tmp_path, cluster=request.getfixturevalue(asked_for))
    yield shell
    shell.end()
