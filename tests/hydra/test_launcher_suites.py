"""Hydra's own compliance suites: each of our three parts works alone beside Hydra's counterparts, and all together.

The suites come with Hydra (``hydra.test_utils``), their fixtures with its pytest plugin.
"""

from __future__ import annotations

import pytest
from hydra.core.plugins import Plugins
from hydra.test_utils.launcher_common_tests import BatchedSweeperTestSuite, LauncherTestSuite

# Of Hydra's own test configurations, which are older than its rules.
pytestmark = [
    pytest.mark.filterwarnings("ignore:In '.*'. Defaults list is missing `_self_`:UserWarning"),
    pytest.mark.filterwarnings("ignore:Future Hydra versions will no longer change working directory:UserWarning"),
    pytest.mark.filterwarnings("ignore:\\s*The version_base parameter is not specified:UserWarning"),
]

SWEEPER = "hydra/sweeper=runyard"
RECORDER = "hydra/callbacks=runyard"  # not +runyard=record: the suites count the task's overrides
BATCHES = "hydra.sweeper.max_batch_size=2"


def test_hydra_finds_our_launcher_and_our_sweeper() -> None:
    found = {f"{plugin.__module__}.{plugin.__name__}" for plugin in Plugins.instance().discover()}
    assert {
        "hydra_plugins.runyard.launcher.RunyardLocalLauncher",
        "hydra_plugins.runyard.sweeper.RunyardSweeper",
        "hydra_plugins.runyard.search_path.RunyardSearchPath",
    } <= found


@pytest.mark.parametrize(("launcher_name", "overrides"), [("runyard_local", [])])
class TestOurLauncherUnderHydrasSweeper(LauncherTestSuite):
    pass


@pytest.mark.parametrize(("launcher_name", "overrides"), [("runyard_local", [BATCHES])])
class TestOurLauncherInBatchesUnderHydrasSweeper(BatchedSweeperTestSuite):
    pass


@pytest.mark.parametrize(("launcher_name", "overrides"), [("basic", [SWEEPER])])
class TestOurSweeperOverHydrasLauncher(LauncherTestSuite):
    pass


@pytest.mark.parametrize(("launcher_name", "overrides"), [("basic", [SWEEPER, BATCHES])])
class TestOurSweeperInBatchesOverHydrasLauncher(BatchedSweeperTestSuite):
    pass


@pytest.mark.parametrize(("launcher_name", "overrides"), [("runyard_local", [SWEEPER])])
class TestOurLauncherUnderOurSweeper(LauncherTestSuite):
    pass


@pytest.mark.parametrize(("launcher_name", "overrides"), [("runyard_local", [SWEEPER, BATCHES])])
class TestOurLauncherInBatchesUnderOurSweeper(BatchedSweeperTestSuite):
    pass


@pytest.mark.parametrize(("launcher_name", "overrides"), [("basic", [RECORDER])])
class TestOurRecorderWithHydrasLauncherAndSweeper(LauncherTestSuite):
    pass


@pytest.mark.parametrize(("launcher_name", "overrides"), [("basic", [RECORDER, BATCHES])])
class TestOurRecorderWithHydrasLauncherAndSweeperInBatches(BatchedSweeperTestSuite):
    pass


@pytest.mark.parametrize(("launcher_name", "overrides"), [("runyard_local", [SWEEPER, RECORDER])])
class TestOurLauncherSweeperAndRecorder(LauncherTestSuite):
    pass
