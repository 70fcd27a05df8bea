from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra.core.plugins import Plugins
from omegaconf import OmegaConf


@pytest.fixture(scope="session", autouse=True)
def _plugins_are_there() -> None:
    """The suites put Hydra's state back to what they found: it must have its plugins in it."""
    Plugins.instance()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of what is recorded goes into this repository."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _no_resolver_left() -> Iterator[None]:
    """Hydra's suites register a resolver and leave it, and cannot run twice in one process."""
    yield
    OmegaConf.clear_resolver("my_custom_resolver")
