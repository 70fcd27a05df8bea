from __future__ import annotations

from pathlib import Path

import pytest
from hydra.core.config_loader import ConfigLoader
from omegaconf import OmegaConf

from runyard.compose.sources import Sources

from .conftest import App, MakeApp, look
from .tree import write_tree
from .typed import store_typed


@pytest.fixture
def own(make_app: MakeApp, tmp_path: Path) -> App:
    """An application whose files a test may change."""
    write_tree(tmp_path)
    return make_app(config_dir=tmp_path)


@pytest.mark.parametrize(
    "line", [[], ["db=nested"], ["+db@second=mysql"], ["+experiment=tuned", "lr=3"], ["hydra/job_logging=none"]]
)
def test_what_has_been_read_composes_as_hydra_does(app: App, line: list[str]) -> None:
    sources = Sources(app.master, app.loader)
    for _ in range(2):
        assert look(sources.compose(line)) == look(app.by_hydra(*line))
        assert look(sources.compose(line, as_read=False)) == look(app.by_hydra(*line))


def test_a_file_is_read_once(own: App, tmp_path: Path) -> None:
    sources = Sources(own.master, own.loader)
    assert sources.compose(["seed=1"]).db.port == 3306
    (tmp_path / "db" / "mysql.yaml").write_text("{port: 1}\n")
    assert sources.compose(["seed=2"]).db.port == 3306
    assert sources.compose(["seed=3"], as_read=False).db.port == 1


def test_composing_changes_nothing_in_what_was_read(own: App) -> None:
    sources = Sources(own.master, own.loader)
    seen = look(sources.compose(["lr=1"]))
    for line in (["+experiment=big", "db.port=1"], ["db={host:x}", "deep.a.b.c=9"], ["~db"]):
        sources.compose(line)
    assert {**look(sources.compose(["lr=1"])), "overrides": None} == {**seen, "overrides": None}


def test_an_error_leaves_hydras_loader_as_it_was(own: App, tmp_path: Path) -> None:
    sources = Sources(own.master, own.loader)
    with pytest.raises(Exception, match="oracle"):
        sources.compose(["db=oracle"])
    (tmp_path / "db" / "oracle.yaml").write_text("{port: 1521}\n")
    assert own.loader.load_sweep_config(own.master, ["db=oracle", "seed=1"]).db.port == 1521


def test_groups_and_configs_are_told_apart(app: App) -> None:
    sources = Sources(app.master, app.loader)
    for _ in range(2):
        assert all(map(sources.group_exists, ("db", "db/auth", "hydra/launcher")))
        assert not any(map(sources.group_exists, ("lr", "config", "db/mysql")))
        assert all(map(sources.config_exists, ("config", "db/mysql")))
        assert not any(map(sources.config_exists, ("db", "nope")))


def test_the_sweeps_own_search_path_counts(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "one.yaml").write_text("x: 1\n")
    app = make_app(f"hydra.searchpath=[file://{tmp_path}]")
    sources = Sources(app.master, app.loader)
    assert sources.group_exists("more")
    assert sources.compose(["+more=one"]).more.x == 1


class ForeignLoader(ConfigLoader):
    """A loader that is not Hydra's own."""

    def __init__(self, app: App) -> None:
        self._app = app

    def load_sweep_config(self, master_config, sweep_overrides):  # type: ignore[no-untyped-def]
        return self._app.by_hydra(*sweep_overrides)

    load_configuration = get_sources = get_search_path = list_groups = get_group_options = None  # type: ignore[assignment]
    compute_defaults_list = ensure_main_config_source_available = None  # type: ignore[assignment]


def test_with_another_loader_everything_may_be_a_group(app: App) -> None:
    sources = Sources(app.master, ForeignLoader(app))
    assert sources.group_exists("lr")
    assert sources.config_exists("lr")
    assert look(sources.compose(["lr=2"])) == look(app.by_hydra("lr=2"))


def test_one_object_in_two_places_of_a_config_stays_one(make_app: MakeApp, tmp_path: Path) -> None:
    store_typed()
    (tmp_path / "config.yaml").write_text("defaults: [typed@one: full, typed@two: full, _self_]\n")
    app = make_app(config_dir=tmp_path)
    text = OmegaConf.to_yaml(app.by_hydra())
    assert "*id001" in text
    assert OmegaConf.to_yaml(Sources(app.master, app.loader).compose(["+x=1"])).count("*id001") == text.count("*id001")
