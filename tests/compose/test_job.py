"""The lean way of running a job against Hydra's own: the same jobs, each in a process of its own, by either way.

Compared is everything that a task or a callback can see, what is left behind on disk, and what comes back.
"""

from __future__ import annotations

import copy
import logging
import os
import pickle
import random
import re
import sys
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hydra import version
from hydra._internal.callbacks import Callbacks
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobRuntime, configure_log
from hydra.experimental.callback import Callback
from hydra.types import HydraContext
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from runyard.compose import number_job, prepare_logging, run_as_hydra
from runyard.execute.local.child import open_streams, redirect

from .conftest import App, MakeApp, nodes_of
from .tree import write_tree

JOB = 3
EXTRA = {
    "hydra/job_logging/coloured.yaml": """
version: 1
formatters:
  plain: {format: '[%(levelname)s] %(name)s %(message)s'}
  bright: {(): tests.compose.test_job.BrightFormatter, format: '<%(message)s>'}
handlers:
  console: {class: logging.StreamHandler, formatter: bright, stream: ext://sys.stderr}
  file: {class: logging.FileHandler, formatter: plain, filename: '${hydra.runtime.output_dir}/${hydra.job.name}.log'}
root: {level: WARNING, handlers: [console, file]}
loggers: {app.a: {level: DEBUG, propagate: false, handlers: [file]}}
disable_existing_loggers: true
""",
    "hydra/job_logging/plain.yaml": """
version: 1
formatters: {plain: {format: '%(name)s/%(levelname)s/%(message)s', datefmt: '%H'}}
filters: {}
handlers:
  out: {class: logging.StreamHandler, formatter: plain, stream: ext://sys.stdout, level: WARNING}
  err: {class: logging.StreamHandler, formatter: plain}
  all: {class: logging.FileHandler, formatter: plain, filename: '${hydra.runtime.output_dir}/all.log', mode: w}
  late: {class: logging.FileHandler, formatter: plain, filename: relative.log, delay: true, encoding: utf-16}
root: {level: DEBUG, handlers: [out, err, all, late]}
loggers: {app: {level: ERROR}, app.b: {level: INFO, handlers: [all], propagate: true}}
disable_existing_loggers: false
""",
    "hydra/job_logging/rotating.yaml": """
version: 1
handlers: {file: {class: logging.handlers.RotatingFileHandler, filename: rotating.log, maxBytes: 1000}}
root: {level: INFO, handlers: [file]}
disable_existing_loggers: false
""",
    "hydra/job_logging/own.yaml": """
version: 1
formatters: {plain: {format: '${lr} ${hydra.job.num} %(message)s'}}
handlers: {file: {class: logging.FileHandler, formatter: plain, filename: '${hydra.job.name}-${hydra.job.num}.log'}}
root: {level: INFO, handlers: [file]}
disable_existing_loggers: false
""",
    "hydra/job_logging/broken.yaml": """
version: 1
formatters: {plain: {format: '%(nothing'}}
handlers: {console: {class: logging.StreamHandler, formatter: plain}}
root: {level: INFO, handlers: [console]}
""",
    "bare.yaml": "{x: 1, y: '${x}', hydra: {sweep: {subdir: '${hydra.job.num}'}}}",
    "variables.yaml": """
lr: 1
hydra:
  job:
    env_copy: [HOME]
    env_set: {RUNYARD_TEST_A: a, RUNYARD_TEST_B: '${hydra.job.name}-${hydra.job.num}', PATH: /replaced}
  sweep: {dir: relative/sweep, subdir: 'n${hydra.job.num}'}
""",
}


class BrightFormatter(logging.Formatter):
    """A class that a logging config names by ``()``."""


@dataclass(frozen=True)
class ReadOnly:
    lr: float = 0.1
    inner: dict[str, int] = field(default_factory=lambda: {"a": 1})


@dataclass
class Mixed:
    lr: float = 0.1
    frozen: ReadOnly = field(default_factory=ReadOnly)
    free: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("conf")
    write_tree(folder)
    for name, text in EXTRA.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    version.setbase("1.3")
    ConfigStore.instance().store(name="read_only", node=ReadOnly)
    ConfigStore.instance().store(name="mixed", node=Mixed)
    return folder


@pytest.fixture(scope="module")
def app_of(make_app: MakeApp, configs: Path) -> Callable[..., App]:
    made: dict[Any, App] = {}

    def get(config_name: str, *overrides: str) -> App:
        if (config_name, overrides) not in made:
            app = make_app(*overrides, config_name=config_name, config_dir=configs)
            _ = app.master.hydra.sweep.dir, app.master.get("stamp")  # the time of the sweep is that of its jobs
            made[config_name, overrides] = app
        return made[config_name, overrides]

    return get


# -- what is seen -----------------------------------------------------------------------------------------------------


def see(config: Any) -> Any:
    """A config: every node with its types and flags, what it has resolved so far, and its text."""
    if not isinstance(config, DictConfig):
        return repr(config)
    return {
        "nodes": [repr(node) for node in nodes_of(config)],
        "flags": [config._get_flag(flag) for flag in ("struct", "readonly", "allow_objects")],
        "cache": copy.deepcopy(dict(OmegaConf.get_cache(config))),
        "yaml": OmegaConf.to_yaml(config),
    }


def see_resolved(config: DictConfig) -> str:
    """Every value that can be resolved, and what those that cannot say."""
    found = []

    def walk(node: Any, path: str) -> None:
        keys = list(node) if isinstance(node, DictConfig) else list(range(len(node)))
        for key in keys:
            try:
                value = node[key]
            except Exception as error:
                value = f"{type(error).__name__}: {error}"
            found.append(f"{path}.{key}: {value!r}")
            if OmegaConf.is_config(value):
                walk(value, f"{path}.{key}")

    walk(config, "")
    return "\n".join(found)


def see_handler(handler: logging.Handler) -> Any:
    formatter = handler.formatter
    stream = getattr(handler, "stream", None)
    return {
        "class": type(handler).__qualname__,
        "name": handler.name,
        "level": handler.level,
        "formatter": formatter and (type(formatter).__qualname__, formatter._fmt, formatter.datefmt),
        "stream": {sys.stdout: "stdout", sys.stderr: "stderr"}.get(stream, stream and getattr(stream, "name", "?")),
        "file": getattr(handler, "baseFilename", None),
        "mode": getattr(handler, "mode", None),
        "encoding": getattr(handler, "encoding", None),
        "delay": getattr(handler, "delay", None),
        "filters": len(handler.filters),
    }


def see_logging() -> Any:
    """The root logger, those of the test, and what the logging module knows of its handlers."""
    found: dict[str, Any] = {}
    for name in (None, "app", "app.a", "app.b", "early", "hydra", "logging_example"):
        logger = logging.getLogger(name)
        found[str(name)] = {
            "level": logger.level,
            "disabled": logger.disabled,
            "propagate": logger.propagate,
            "handlers": [see_handler(handler) for handler in logger.handlers],
        }
    return found | {"known": sorted(map(str, logging.__dict__["_handlers"])), "off": logging.root.manager.disable}


def see_process() -> Any:
    """What a process has besides configs."""
    return {
        "cwd": os.getcwd(),
        "environment": dict(os.environ),
        "random": hash(random.getstate()),
        "logging": see_logging(),
        "hydra": see(HydraConfig.instance().cfg),
        "name": JobRuntime.instance().get("name"),
    }


class Watcher(Callback):
    """Notes what a callback is given, and finds around it."""

    def __init__(self, seen: list[Any], fails_in: str = "") -> None:
        self.seen, self.fails_in = seen, fails_in
        self.configs: list[Any] = []

    def on_job_start(self, config: DictConfig, *, task_function: Any, **kwargs: Any) -> None:
        self.configs.append(config)
        held: Any = HydraConfig.instance().cfg
        self.seen.append(("start", see(config), see_process(), getattr(task_function, "__name__", "?"), list(kwargs)))
        self.seen.append(("held", held.hydra._get_parent() is config, config.hydra._get_parent() is config))
        logging.getLogger("app.a").info("a callback before")
        self._fail("start")

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        self.seen.append(("end", config is self.configs[0], see(config), see_return(job_return), see_process()))
        self.seen.append(("resolved", see_resolved(config), list(kwargs)))
        logging.getLogger("app.a").info("a callback after")
        self._fail("end")

    def _fail(self, where: str) -> None:
        if self.fails_in == where:
            raise ValueError("a callback that fails")


def see_return(result: JobReturn) -> Any:
    return {
        "overrides": (type(result.overrides), result.overrides),
        "cfg": see(result.cfg),
        "hydra_cfg": see(result.hydra_cfg),
        "working_dir": result.working_dir,
        "task_name": result.task_name,
        "status": result.status,
        "value": repr(result._return_value),
        "parents": [c is None or c._get_parent() is None for c in (result.cfg, result.hydra_cfg)],
    }


# -- tasks ------------------------------------------------------------------------------------------------------------


def looks(cfg: DictConfig, seen: list[Any]) -> Any:
    seen.append(("task", see(cfg), see_process(), cfg._get_parent() is None))
    seen.append(("values", see_resolved(cfg), see_resolved(HydraConfig.get())))
    for name in (None, "app", "app.a", "app.b", "early", "fresh"):
        for level in (10, 20, 30, 40):
            logging.getLogger(name).log(level, "%s at %s", name, level)
    print("printed")
    return {"loss": 0.5}


def changes(cfg: DictConfig, seen: list[Any]) -> Any:
    """Changes whatever it can reach."""
    with read_write(cfg), open_dict(cfg):
        cfg.added = [1, {"a": "${.b}", "b": 2}]
    hydra = HydraConfig.get()
    with read_write(hydra), open_dict(hydra):
        hydra.job.name = "changed"
        hydra.runtime.more = "added"
    JobRuntime.instance().set("name", "renamed")
    os.environ["RUNYARD_TEST_A"] = "by the task"
    os.environ["RUNYARD_TEST_NEW"] = "by the task"
    os.chdir("/")
    logging.getLogger().setLevel(logging.ERROR)
    random.seed(3)
    seen.append(("changed", see(cfg), see_process()))
    return cfg


def refuses(cfg: DictConfig, seen: list[Any]) -> Any:
    """Tries to change what it may not; the errors are Hydra's and OmegaConf's."""
    for attempt in (
        lambda: setattr(cfg, "not_there", 1),
        lambda: setattr(HydraConfig.get().job, "name", "x"),
        lambda: cfg.not_there_either,
        lambda: cfg.hydra,
    ):
        try:
            seen.append(("allowed", repr(attempt())))
        except Exception as error:
            seen.append(("refused", type(error), str(error)))


def fails(cfg: DictConfig, seen: list[Any]) -> Any:
    raise ValueError("no good")


def exits(cfg: DictConfig, seen: list[Any]) -> Any:
    sys.exit(3)


def is_interrupted(cfg: DictConfig, seen: list[Any]) -> Any:
    raise KeyboardInterrupt


Task = Callable[[DictConfig, list[Any]], Any]


# -- both ways --------------------------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Job:
    """A job, and what runs in it."""

    app: App
    line: tuple[str, ...]
    task: Task = looks
    fails_in: str = ""

    def run(self, way: str, seen: list[Any]) -> None:
        """Runs it, in a process of its own."""
        callbacks: Any = Callbacks()
        callbacks.callbacks = [Watcher(seen), Watcher(seen, self.fails_in)]
        context = HydraContext(config_loader=self.app.loader, callbacks=callbacks)

        def task(cfg: DictConfig) -> Any:
            return self.task(cfg, seen)

        try:
            result = self.by_hydra(context, task) if way == "hydra" else self.lean(context, task)
            seen.append(("result", see_return(result)))
        except BaseException as error:
            seen.append(("raised", type(error), str(error)))
        seen.append(("after", see_process()))

    def by_hydra(self, context: HydraContext, task: Any) -> JobReturn:
        return run_as_hydra(number_job(self.app.by_hydra(*self.line), JOB), task, context)

    def lean(self, context: HydraContext, task: Any) -> JobReturn:
        composer = self.app.composer()
        job = composer.job(self.line)
        assert job.choices is not None
        rehearsal = composer.rehearse(job.choices)
        assert rehearsal is not None
        prepare_logging([rehearsal])
        return rehearsal.run(job.order(JOB, job.output_dir(JOB)), task, context)


def _in_a_process(job: Job, way: str, folder: Path) -> list[Any]:
    """What is seen when the job runs in ``folder``, which holds nothing."""
    folder.mkdir()
    seen_file = folder.parent / f"{way}.pickle"
    pid = os.fork()
    if pid == 0:
        try:
            redirect(folder / "output.log")
            open_streams()
            os.chdir(folder)
            random.seed(1)
            warnings.simplefilter("always")
            warnings.showwarning = lambda message, category, *_: print(category.__name__, message)  # not pytest's
            logging.getLogger("early").addHandler(logging.NullHandler())
            configure_log(job.app.master.hydra.hydra_logging, job.app.master.hydra.verbose)
            seen: list[Any] = []
            job.run(way, seen)
            logging.shutdown()
            sys.stdout.flush()
            seen_file.write_bytes(pickle.dumps(seen))
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert status == 0, (folder / "output.log").read_text()
    found: list[Any] = pickle.loads(seen_file.read_bytes())
    return found


def _files(folder: Path) -> dict[str, str]:
    """Every file below a folder, and its text without the time of day."""
    return {
        str(path.relative_to(folder)): _TIME.sub("<time>", _text(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    } | {f"{p.relative_to(folder)}/": "" for p in folder.rglob("*") if p.is_dir()}


_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}|test_job\.py:\d+")


def _text(path: Path) -> str:
    data = path.read_bytes()
    return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8")


def assert_same(job: Job, tmp_path: Path) -> list[Any]:
    """Runs the job both ways in the same place; returns what is seen."""
    folder = tmp_path / "work"
    seen, files = {}, {}
    for way in ("hydra", "lean"):
        seen[way] = _in_a_process(job, way, folder)
        files[way] = _files(folder)
        folder.rename(tmp_path / way)
    kinds = {way: [event if event[0] == "raised" else event[0] for event in seen[way]] for way in seen}
    assert kinds["lean"] == kinds["hydra"]
    for by_lean, by_hydra in zip(seen["lean"], seen["hydra"], strict=True):
        assert by_lean == by_hydra
    assert files["lean"] == files["hydra"]
    return seen["hydra"]


def _is_lean(app: App, line: tuple[str, ...]) -> bool:
    composer = app.composer()
    job = composer.job(line)
    return job.choices is not None and composer.rehearse(job.choices) is not None


LINES = [
    ("config", "lr=1"),
    ("config", "lr=1e-3", "seed=2", "name=x"),
    ("config", "db=postgresql", "lr=2"),
    ("config", "+experiment=tuned", "seed=3"),
    ("config", "+new.key=[1,{a: '${lr}'}]", "~empty"),
    ("config", "deep.a.b.c='quoted: {text}'", "numbers=[3,4]"),
    ("config", "extra=two", "model=mlp", "model.hidden=[1]"),
    ("config",),
    ("flat", "a=2"),
    ("flat", "+c.d=x", "b.c=null"),
    ("bare", "x=5"),
    ("structured", "seed=5"),
    ("structured", "optimizer.lr=1", "color=BLUE", "+table.x=3", "maybe=2"),
    ("structured", "solver=exact", "folder=x/y", "needed=1"),
    ("read_only",),
    ("mixed", "lr=1", "+free.x=2"),
    ("variables", "lr=4"),
    ("variables", "lr=4", "hydra.job.chdir=true"),
]
#: what an application's own config, or its command line, may say of Hydra's ways; the jobs then differ in values.
HYDRAS = [
    ("hydra.job.chdir=true",),
    ("hydra.job.chdir=false",),
    ("hydra.job.chdir=null",),
    ("hydra.output_subdir=null",),
    ("hydra.output_subdir=other/deep",),
    ("hydra.job.chdir=true", "hydra.output_subdir=other"),
    ("hydra.sweep.dir=relative", "hydra.job.chdir=true"),
    ("hydra.sweep.dir=relative/${hydra.job.name}", "hydra.sweep.subdir=${hydra.job.num}/x"),
    ("hydra.job.name=other",),
    ("hydra.job.env_copy=[HOME,PATH]",),
    ("+hydra.job.env_set.RUNYARD_TEST_A='${not_there}'",),
    ("+hydra.job.env_set.RUNYARD_TEST_A=1", "+hydra.job.env_set.RUNYARD_TEST_B='x y'"),
    ("hydra.verbose=true",),
    ("hydra.verbose=app.a",),
    ("hydra.verbose=[app.a,early]",),
    ("hydra/job_logging=none",),
    ("hydra/job_logging=disabled",),
    ("hydra/job_logging=stdout",),
    ("hydra/job_logging=coloured",),
    ("hydra/job_logging=plain",),
    ("hydra/job_logging=plain", "hydra.job.chdir=true"),
    ("hydra/job_logging=rotating",),
    ("hydra/job_logging=broken",),
    ("hydra/job_logging=plain", "hydra.verbose=[app]"),
    ("hydra/hydra_logging=none",),
    ("hydra/hydra_logging=disabled",),
    ("hydra.job_logging.disable_existing_loggers=true",),
    ("hydra.job_logging.root.level=DEBUG", "hydra.job_logging.handlers.console.stream=ext://sys.stderr"),
    ("hydra.job_logging.handlers.file.filename=${hydra.sweep.dir}/all.log",),
    ("hydra.job_logging.formatters.simple.format='%(message)s in ${hydra.job.num}'",),
    ("hydra.job_logging.handlers.file.filename=${hydra.runtime.output_dir}/n${hydra.job.num}.log",),
]
TASKS: list[Task] = [looks, changes, refuses, fails, exits, is_interrupted]


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_a_job_sees_leaves_and_returns_what_hydras_own_does(
    app_of: Callable[..., App], line: tuple[str, ...], tmp_path: Path
) -> None:
    seen = assert_same(Job(app=app_of(line[0]), line=line[1:]), tmp_path)
    assert [event[0] for event in seen] == [
        *("start", "held", "start", "held", "task", "values", "end", "resolved", "end", "resolved", "result", "after")
    ]


@pytest.mark.parametrize("hydras", HYDRAS, ids=" ".join)
@pytest.mark.parametrize("config", ["flat", "structured"])
def test_whatever_is_set_of_hydra_for_all_jobs_holds(
    app_of: Callable[..., App], config: str, hydras: tuple[str, ...], tmp_path: Path
) -> None:
    line = ("a=2",) if config == "flat" else ("seed=2",)
    assert_same(Job(app=app_of(config, *hydras), line=line), tmp_path)


@pytest.mark.parametrize("hydras", HYDRAS[::3], ids=" ".join)
def test_whatever_a_job_sets_of_hydra_holds(
    app_of: Callable[..., App], hydras: tuple[str, ...], tmp_path: Path
) -> None:
    assert_same(Job(app=app_of("bare"), line=(*hydras, "x=2")), tmp_path)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__)
@pytest.mark.parametrize("config", ["bare", "variables", "mixed", "structured"])
@pytest.mark.parametrize("chdir", ["true", "false"])
def test_whatever_a_task_does_has_the_same_effects(
    app_of: Callable[..., App], task: Task, config: str, chdir: str, tmp_path: Path
) -> None:
    line = {"bare": "x=2", "structured": "seed=2"}.get(config, "lr=2")
    assert_same(Job(app=app_of(config, f"hydra.job.chdir={chdir}"), line=(line,), task=task), tmp_path)


@pytest.mark.parametrize("where", ["start", "end"])
@pytest.mark.parametrize("task", [looks, fails], ids=lambda task: task.__name__)
def test_a_callback_that_fails_has_the_same_effects(
    app_of: Callable[..., App], where: str, task: Task, tmp_path: Path
) -> None:
    assert_same(Job(app=app_of("bare"), line=("x=2",), task=task, fails_in=where), tmp_path)
    assert "a callback that fails" in (tmp_path / "lean" / "output.log").read_text()


def test_a_folder_that_cannot_be_made_is_the_same_error(app_of: Callable[..., App], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    job = Job(app=app_of("bare", f"hydra.sweep.dir={tmp_path}/file/x"), line=("x=2",))
    raised = [_in_a_process(job, way, tmp_path / way)[0] for way in ("hydra", "lean")]
    assert raised[0] == raised[1]
    assert raised[0][:2] == ("raised", NotADirectoryError)


@pytest.mark.parametrize(
    "hydras",
    [
        ("hydra.job.chdir=${x}",),
        ("hydra.output_subdir=sub_${x}",),
        ("hydra.output_subdir=${hydra.job.num}",),
    ],
    ids=" ".join,
)
def test_what_may_differ_between_jobs_where_the_lean_way_takes_it_as_one_is_left_to_hydra(
    app_of: Callable[..., App], hydras: tuple[str, ...]
) -> None:
    assert not _is_lean(app_of("bare", *hydras), ("x=2",))


def test_where_hydra_must_warn_of_its_new_default_it_does_so_itself(app_of: Callable[..., App]) -> None:
    left, lean = (
        app_of("flat", "a=7"),
        app_of("flat", "a=7", "hydra.job.chdir=true"),
    )  # for nobody else: they compose now
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        version.setbase("1.1")
    try:
        assert not _is_lean(left, ("a=2",))
        assert _is_lean(lean, ("a=2",))
    finally:
        version.setbase("1.3")


def test_most_jobs_are_run_the_lean_way(app_of: Callable[..., App]) -> None:
    left = [line for line in LINES if not _is_lean(app_of(line[0]), line[1:])]
    left += [hydras for hydras in HYDRAS if not _is_lean(app_of("flat", *hydras), ("a=2",))]
    assert left == []


def test_the_ways_are_told_apart_when_they_differ(app_of: Callable[..., App], tmp_path: Path) -> None:
    """The comparison itself: a job that draws on more than its config is not equal to itself."""

    def differs(cfg: DictConfig, seen: list[Any]) -> None:
        seen.append(("task", os.urandom(8)))

    with pytest.raises(AssertionError):
        assert_same(Job(app=app_of("bare"), line=("x=2",), task=differs), tmp_path)
