"""The documentation names everything that there is, and its links lead somewhere."""

import dataclasses
import re
from pathlib import Path

import click
import pytest
import yaml
from omegaconf import OmegaConf

import runyard
from runyard.cli import main
from runyard.orchestrate import LAUNCHER_KEYS

REPO = Path(__file__).parents[2]
DOCS = REPO / "docs"
PAGES = [REPO / "README.md", REPO / "CHANGELOG.md", *sorted(DOCS.glob("**/*.md"))]


def text(name):
    return (DOCS / name).read_text(encoding="utf-8")


def _section(page, title):
    """The lines from the heading that begins so to the next one of its rank."""
    found = re.search(rf"^(#+) {re.escape(title)}.*?(?=^\1 |^#{{1,2}} |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[0]


_COMMANDS = sorted(main.list_commands(click.Context(main)))


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_command_and_each_of_its_options_is_documented(name):
    section = _section(text("cli.md"), f"`runyard {name}")
    for parameter in main.get_command(click.Context(main), name).params:
        if isinstance(parameter, click.Option):
            for option in (*parameter.opts, *parameter.secondary_opts):
                assert f"`{option}" in section, option


def test_no_command_is_documented_that_there_is_not():
    assert set(re.findall(r"^### `runyard (\w+)", text("cli.md"), re.MULTILINE)) == set(_COMMANDS)


def _config_keys():
    from hydra_plugins.runyard.launcher import RunyardLocalConf
    from hydra_plugins.runyard.sweeper import RunyardSweeperConf

    yield from _leaves("hydra.launcher", OmegaConf.to_container(OmegaConf.structured(RunyardLocalConf)))
    yield from _leaves("hydra.sweeper", OmegaConf.to_container(OmegaConf.structured(RunyardSweeperConf)))
    callback = REPO / "src/hydra_plugins/runyard/conf/hydra/callbacks/runyard.yaml"
    yield from _leaves("hydra.callbacks.runyard", yaml.safe_load(callback.read_text())["runyard"])


def _leaves(prefix, values):
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(f"{prefix}.{key}", value)
        elif key != "_target_":
            yield f"{prefix}.{key}", value


@pytest.mark.parametrize(("key", "default"), list(_config_keys()))
def test_every_key_is_documented_with_its_default(key, default):
    row = re.search(rf"^\| `{re.escape(key)}` \| `(.*?)` \|", text("configuration.md"), re.MULTILINE)
    assert row, key
    assert yaml.safe_load(row[1]) == default


def _slurm_keys():
    from hydra_plugins.runyard.slurm_launcher import RunyardSlurmConf

    for key, value in OmegaConf.to_container(OmegaConf.structured(RunyardSlurmConf)).items():
        yield from _leaves("hydra.launcher", {key: value} if key != "additional_parameters" else {})


@pytest.mark.parametrize(("key", "default"), list(_slurm_keys()))
def test_every_key_of_the_slurm_launcher_is_documented_with_its_default(key, default):
    row = re.search(rf"^\| `{re.escape(key)}` \| `(.*?)` \|", text("slurm.md"), re.MULTILINE)
    assert row, key
    assert yaml.safe_load(row[1]) == default


def test_the_slurm_launcher_knows_the_keys_that_its_config_has():
    from runyard.cluster.settings import CLUSTER_KEYS

    assert {key.split(".")[2] for key, _ in _slurm_keys()} <= set(CLUSTER_KEYS)


def test_the_launcher_knows_the_keys_that_its_config_has():
    keys = {key.split(".")[2] for key, _ in _config_keys() if key.startswith("hydra.launcher.")}
    assert keys == set(LAUNCHER_KEYS)


@pytest.mark.parametrize("choice", [p.stem for p in (REPO / "src/hydra_plugins/runyard/conf/runyard").glob("*.yaml")])
def test_every_choice_of_the_one_word_is_documented(choice):
    assert f"`+runyard={choice}`" in text("configuration.md")


@pytest.mark.parametrize("name", runyard.__all__)
def test_every_public_name_is_documented(name):
    assert re.search(rf"`{name}\b", text("api.md")), name


@pytest.mark.parametrize(
    ("page", "module", "config"),
    [
        ("airline.md", "airline", "AirlineConfig"),
        ("arena.md", "arena", "ArenaConfig"),
        ("burgers.md", "burgers", "BurgersConfig"),
        ("contest.md", "contest", "ContestConfig"),
        ("dispatch.md", "dispatch", "DispatchConfig"),
    ],
)
def test_every_key_of_a_workload_is_documented(page, module, config):
    import importlib

    fields = dataclasses.fields(getattr(importlib.import_module(f"app.workloads.{module}.config"), config))
    for field in fields:
        assert field.name == "name" or f"`workload.{field.name}`" in text(page), field.name


def _record_fields():
    from runyard.record import Attempt, RunRecord, SweepRecord

    for record, title in ((RunRecord, "`run.json`"), (Attempt, "`run.json`"), (SweepRecord, "`sweep.json`")):
        for field in dataclasses.fields(record):
            yield title, field.name


@pytest.mark.parametrize(("title", "field"), list(_record_fields()))
def test_every_field_of_a_record_is_documented(title, field):
    assert f"`{field}`" in _section(text("on-disk.md"), title)


def test_every_event_of_the_journal_is_documented():
    sources = "".join(path.read_text() for path in (REPO / "src" / "runyard").glob("**/*.py"))
    events = set(re.findall(r"""journal\.append\(\s*"(\w+)\"""", sources))
    assert events == set(re.findall(r"^\| `(\w+)` \| `", _section(text("on-disk.md"), "`journal.jsonl`"), re.MULTILINE))


def test_every_state_is_documented():
    for state in runyard.State:
        assert f"`{state}`" in text("index.md")


@pytest.mark.parametrize("target", re.findall(r"^(\w+):.*?##", (REPO / "Makefile").read_text(), re.MULTILINE))
def test_every_make_target_that_help_lists_is_phony(target):
    phony = re.search(r"^\.PHONY:(.*)$", (REPO / "Makefile").read_text(), re.MULTILINE)
    assert target in phony[1].split()


def test_the_readme_has_exactly_two_commands_to_set_up():
    block = re.search(r"^## Set up.*?```bash\n(.*?)```", (REPO / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert [line.split("#")[0].strip() for line in block[1].splitlines()] == ["make demo", "make test"]


def _links():
    for page in PAGES:
        prose = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for link in re.findall(r"\]\(([^)\s]+)\)", prose):
            if "://" not in link:
                yield page, link


@pytest.mark.parametrize(("page", "link"), [pytest.param(p, k, id=f"{p.name}-{k}") for p, k in _links()])
def test_every_relative_link_leads_somewhere(page, link):
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    assert target.exists()
    if anchor:
        headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
        assert anchor in {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def test_every_page_is_in_the_index():
    for page in DOCS.glob("*.md"):
        assert page.name == "index.md" or f"({page.name})" in text("index.md"), page.name


def test_every_route_of_the_service_is_documented():
    from runyard.serve import ServeSettings, create_app

    document = create_app(ServeSettings(token="only-to-make-it")).application.openapi()
    routes = {f"{method.upper()} {path}" for path, calls in document["paths"].items() for method in calls}
    assert routes == set(re.findall(r"^\| `((?:GET|POST) /api\S*)`", text("http-api.md"), re.MULTILINE))
    body = document["components"]["schemas"]["StartRequest"]["properties"]
    assert set(body) == set(re.findall(r"^\| `(\w+)` \|", _section(text("http-api.md"), "Starting"), re.MULTILINE))
