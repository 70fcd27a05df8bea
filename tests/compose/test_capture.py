from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

APP = """
import sys
import hydra
from omegaconf import DictConfig

print("imported as", __name__, sys.argv[1:])

@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg: DictConfig) -> str:
    return "ran with " + str(cfg.lr)

if __name__ == "__main__":
    main()
    print("after main")
    sys.exit(9)
"""

SHOW = """
import sys
import hydra.main
from hydra.core.utils import setup_globals
from hydra.types import RunMode
from runyard.base import UsageError
from runyard.compose import run_captured

def then(app):
    setup_globals()
    config = app.loader.load_configuration("config", ["lr=3"], run_mode=RunMode.RUN)
    print("name", config.hydra.job.name, "lr", config.lr)
    del config.hydra
    print(app.task_function(config))

try:
    run_captured(sys.argv[1], sys.argv[2], sys.argv[3:], then)
except UsageError as error:
    print("usage:", error.what, "|", error.where)
print("end")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").write_text("lr: 1\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.yaml").write_text("lr: 2\nmore: 1\n")
    (tmp_path / "show.py").write_text(SHOW)
    for name in ("app.py", "package/__main__.py", "package/tool.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(APP.replace('"conf"', '"../conf"') if "/" in name else APP)
    (tmp_path / "package" / "__init__.py").touch()
    return tmp_path


def _show(folder: Path, *args: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(folder / "show.py"), *args],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("args", "name"),
    [
        (["script", "app.py"], "app"),
        (["script", "{folder}/app.py"], "app"),
        (["script", "package/tool.py"], "tool"),
        (["module", "app"], "app"),
        (["module", "package"], "__main__"),
        (["module", "package.tool"], "tool"),
    ],
)
def test_an_application_is_started_as_it_was_and_its_task_and_configs_are_had(
    folder: Path, args: list[str], name: str
) -> None:
    words = [arg.format(folder=folder) for arg in args]
    assert _show(folder, *words, "lr=1,2", "-m") == [
        "imported as __main__ ['lr=1,2', '-m']",
        f"name {name} lr 3",
        "ran with 3",
        "after main",
        "end",
    ]


def test_a_config_path_on_the_command_line_is_followed(folder: Path) -> None:
    shown = _show(folder, "script", "app.py", "--config-path", str(folder / "other"))
    assert "name app lr 3" in shown


@pytest.mark.parametrize(
    ("content", "args", "what"),
    [
        (None, ["script", "gone.py"], "the program that ran the sweep is not there any more | gone.py"),
        ("", ["script", "gone.py"], "the program ended without calling its hydra.main function | gone.py"),
        ("print(1)", ["module", "gone"], "the program ended without calling its hydra.main function | gone"),
    ],
)
def test_a_program_that_has_changed_is_said(folder: Path, content: str | None, args: list[str], what: str) -> None:
    if content is not None:
        (folder / "gone.py").write_text(content)
    assert f"usage: {what}" in _show(folder, *args)


def test_what_a_program_raises_before_its_main_function_is_its_own(folder: Path) -> None:
    (folder / "app.py").write_text("raise ImportError('a library is missing')")
    done = subprocess.run(
        [sys.executable, "show.py", "script", "app.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "ImportError: a library is missing" in done.stderr


def test_the_application_finds_the_modules_beside_it_and_not_those_beside_the_caller(folder: Path) -> None:
    (folder / "package" / "helper.py").write_text("where = 'beside the program'")
    (folder / "helper.py").write_text("where = 'beside the caller'")
    code = textwrap.dedent(APP).replace('"conf"', '"../conf"').replace("import sys", "import sys, helper", 1)
    (folder / "package" / "tool.py").write_text(code.replace('"imported as"', "helper.where"))
    assert _show(folder, "script", "package/tool.py")[0].startswith("beside the program")


SINCE_311 = pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 knows neither -P nor PYTHONSAFEPATH")


@pytest.mark.parametrize(
    ("kind", "target", "flags", "safe_path"),
    [
        ("script", "package/paths.py", [], ""),
        ("script", "package/paths.py", ["-I"], ""),
        pytest.param("script", "package/paths.py", ["-P"], "", marks=SINCE_311),
        pytest.param("script", "package/paths.py", [], "1", marks=SINCE_311),
        ("module", "paths", [], ""),
        pytest.param("module", "paths", ["-P"], "", marks=SINCE_311),
        pytest.param("module", "paths", [], "1", marks=SINCE_311),
    ],
)
def test_the_application_looks_for_modules_where_the_interpreter_lets_it(
    folder: Path, kind: str, target: str, flags: list[str], safe_path: str
) -> None:
    for name in ("package/paths.py", "library/paths.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("import sys; print(sys.path)")
    (folder / "elsewhere").mkdir()
    (folder / "show.py").rename(folder / "elsewhere" / "show.py")

    def shown(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *flags, *words],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": str(folder / "library"), "PYTHONSAFEPATH": safe_path},
        )
        return done.stdout.splitlines()[0]

    direct = shown("-m", target) if kind == "module" else shown(target)
    assert shown("elsewhere/show.py", kind, target) == direct
