"""The suites that Hydra ships for launchers: ours alone, our sweeper alone, both, and the recorder alone."""

from __future__ import annotations

import sys

import pytest
from hydra.core.plugins import Plugins
from hydra.test_utils.launcher_common_tests import BatchedSweeperTestSuite, IntegrationTestSuite, LauncherTestSuite

from hydra_plugins.runyard.launcher import RunyardLocalLauncher
from hydra_plugins.runyard.sweeper import RunyardSweeper

# The suites run in this process; Hydra's own fixtures leave warnings that are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")

OUR_LAUNCHER = ("runyard_local", [])
OUR_SWEEPER = ("basic", ["hydra/sweeper=runyard"])
BOTH = ("runyard_local", ["hydra/sweeper=runyard"])
RECORDED = ("basic", ["hydra/callbacks=runyard", "hydra.callbacks.runyard.root=${hydra.sweep.dir}"])
COMBINATIONS = pytest.mark.parametrize(
    ("launcher_name", "overrides"),
    [OUR_LAUNCHER, OUR_SWEEPER, BOTH, RECORDED],
    ids=["our launcher", "our sweeper", "both", "recorder"],
)


def batched(launcher, extra, sweeper):
    return (launcher, [f"hydra/sweeper={sweeper}", "hydra.sweeper.max_batch_size=2", *extra])


def test_hydra_finds_our_plugins():
    names = {plugin.__name__ for plugin in Plugins.instance().discover()}
    assert {"RunyardLocalLauncher", "RunyardSweeper", "RunyardSearchPath"} <= names
    assert RunyardLocalLauncher.__module__ == "hydra_plugins.runyard.launcher"
    assert RunyardSweeper.__module__ == "hydra_plugins.runyard.sweeper"


@COMBINATIONS
class TestLauncher(LauncherTestSuite):
    """One sweep in this process, with every combination."""


@pytest.mark.parametrize(
    ("launcher_name", "overrides"),
    [
        batched("runyard_local", [], "basic"),
        batched("basic", [], "runyard"),
        batched("runyard_local", [], "runyard"),
        batched("basic", RECORDED[1], "basic"),
    ],
    ids=["our launcher", "our sweeper", "both", "recorder"],
)
class TestBatches(BatchedSweeperTestSuite):
    """Jobs that come in batches of two."""


@pytest.mark.parametrize(
    ("task_launcher_cfg", "extra_flags"),
    [
        ({}, ["-m", "hydra/launcher=runyard_local"]),
        ({}, ["-m", "hydra/sweeper=runyard"]),
        ({}, ["-m", "hydra/launcher=runyard_local", "hydra/sweeper=runyard"]),
        ({}, ["-m", *RECORDED[1]]),
    ],
    ids=["our launcher", "our sweeper", "both", "recorder"],
)
class TestApplications(IntegrationTestSuite):
    """Applications that Hydra's suite writes and starts."""


@pytest.fixture(autouse=True)
def flushed():
    """Output of before does not belong into the jobs' logs."""
    sys.stdout.flush()
    sys.stderr.flush()
