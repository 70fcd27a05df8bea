"""Hydra's integration suite: whole applications, in processes of their own, with each of our parts."""

from __future__ import annotations

import pytest
from hydra.test_utils.launcher_common_tests import IntegrationTestSuite


@pytest.mark.parametrize(("task_launcher_cfg", "extra_flags"), [({}, ["-m", "hydra/launcher=runyard_local"])])
class TestOurLauncherAlone(IntegrationTestSuite):
    pass


@pytest.mark.parametrize(("task_launcher_cfg", "extra_flags"), [({}, ["-m", "hydra/sweeper=runyard"])])
class TestOurSweeperAlone(IntegrationTestSuite):
    pass


@pytest.mark.parametrize(
    ("task_launcher_cfg", "extra_flags"), [({"defaults": [{"runyard": "record"}, "_self_"]}, ["-m"])]
)
class TestOurRecorderAlone(IntegrationTestSuite):
    pass


@pytest.mark.parametrize(
    ("task_launcher_cfg", "extra_flags"), [({"defaults": [{"runyard": "local"}, "_self_"]}, ["-m"])]
)
class TestAllOfOurs(IntegrationTestSuite):
    pass
