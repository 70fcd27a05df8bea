"""Cases of composing, and what Hydra itself makes of them: its configs, its errors, and the files that it writes.

A case is plain data. What ``repr`` gives of one can be pasted into a test, and ``compare`` runs it again.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import os
import pickle
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra import version
from hydra._internal.callbacks import Callbacks
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import run_job
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from runyard.compose import Composer, freeze_config, output_dir, run_key

from .conftest import look

Line = tuple[str, ...]
Outcome = tuple[str, Any]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A config tree, a sweep and its jobs.

    ``files`` are texts by their names without ``.yaml``; None takes an application without a config directory, whose
    primary config is ``config_name`` in the config store. ``sweep`` are the overrides that all jobs share as far as
    they are Hydra's own, ``resolved`` the keys that the sweep's own config resolves before there are jobs, ``exclude``
    what does not count in run keys.
    """

    files: dict[str, str] | None
    jobs: tuple[Line, ...]
    sweep: Line = ()
    resolved: Line = ()
    exclude: Line = ()
    config_name: str | None = "config"
    version_base: str | None = None


@dataclass
class Tally:
    """What a number of cases came to.

    ``refused`` cases are no sweeps: Hydra cannot compose what their jobs have in common. ``quick`` jobs were composed
    without asking Hydra, ``pieced`` ones have files that were put together from pieces, ``thawed`` ones were composed
    from what was frozen as well.
    """

    refused: int = 0
    cases: int = 0
    jobs: int = 0
    errors: int = 0
    quick: int = 0
    pieced: int = 0
    thawed: int = 0

    def add(self, other: Tally) -> None:
        for one in dataclasses.fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


class AskedLoader(ConfigLoaderImpl):
    """Hydra's loader, which counts how often it is asked for a job's config."""

    asked = 0

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        self.asked += 1
        return super().load_sweep_config(master_config, sweep_overrides)


@dataclass(kw_only=True)
class Expected:
    """What Hydra makes of a job. An outcome is a value, or the error in its place."""

    seen: Outcome
    key: Outcome = ("none", None)
    folder: Outcome = ("none", None)
    numbered: Outcome = ("none", None)
    resolved: Outcome = ("none", None)
    texts: dict[str, str] = field(default_factory=dict)


def outcome_of(make: Callable[[], Any]) -> Outcome:
    """What a call gives: its value, or what can be seen of its error."""
    try:
        return "value", make()
    except Exception as error:
        return "error", _seen_of(error)


def _seen_of(error: Exception) -> tuple[type, str, type]:
    """Where the stack ends is not the same each time."""
    text = re.sub("maximum recursion depth exceeded.*", "maximum recursion depth exceeded", str(error))
    return type(error), text, type(error.__cause__)


@contextlib.contextmanager
def application(case: Case) -> Iterator[tuple[DictConfig, ConfigLoaderImpl, AskedLoader] | None]:
    """The sweep's own config, a loader of Hydra's for what is expected, and one for the composer.

    None where Hydra cannot compose the sweep's own config.
    While it lasts the working directory is an empty folder of the case's own.
    """
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Hydra's, about what a case asks for on purpose
        configs = Path(folder, "configs")
        for name, text in (case.files or {}).items():
            path = configs / f"{name}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        work = Path(folder, "work")
        work.mkdir()
        os.chdir(work)
        try:
            version.setbase(case.version_base)
            yield _started(case, None if case.files is None else str(configs))
        finally:
            GlobalHydra.instance().clear()
            os.chdir(before)


def _started(case: Case, configs: str | None) -> tuple[DictConfig, ConfigLoaderImpl, AskedLoader] | None:
    GlobalHydra.instance().clear()
    search_path = create_config_search_path(configs)
    assert isinstance(search_path, ConfigSearchPathImpl)
    Hydra.create_main_hydra2(task_name="app", config_search_path=search_path)
    loader = ConfigLoaderImpl(search_path)
    try:
        master = loader.load_configuration(case.config_name, list(case.sweep), run_mode=RunMode.MULTIRUN)
    except Exception:
        return None
    for key in ("hydra.sweep.dir", *case.resolved):
        with contextlib.suppress(Exception):  # the sweep's folder is always asked for; it may not resolve
            OmegaConf.select(master, key)
    return master, loader, AskedLoader(search_path)


def expect(loader: ConfigLoaderImpl, master: DictConfig, line: Line, job: int, case: Case) -> Expected:
    """Composes and runs a job as Hydra's basic launcher does, in the present working directory."""
    try:
        config = loader.load_sweep_config(master, list(line))
    except Exception as error:
        return Expected(seen=("error", _seen_of(error)))
    expected = Expected(seen=("value", look(config)), key=outcome_of(lambda: run_key(config, case.exclude)))
    with open_dict(config):
        config.hydra.job.id = job
        config.hydra.job.num = job
    expected.numbered = ("value", look(config, text=False))
    if job % 2:
        expected.resolved = outcome_of(lambda: _resolved(config))
    _run(expected, config, loader)
    return expected


def _resolved(config: DictConfig) -> dict[Any, str]:
    """What each of the task's entries comes to."""
    twin, before = copy.deepcopy(config), HydraConfig.instance().cfg
    HydraConfig.instance().set_config(twin)
    try:
        return {
            key: repr(outcome_of(lambda key=key: _plain(twin, key)))  # type: ignore[misc]
            for key in twin
            if key != "hydra"
        }
    finally:
        HydraConfig.instance().cfg = before


def _plain(config: DictConfig, key: Any) -> Any:
    value = config[key]
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def _run(expected: Expected, config: DictConfig, loader: ConfigLoaderImpl) -> None:
    """Hydra's own ``run_job``, and what it left on disk."""
    guess = outcome_of(lambda: output_dir(copy.deepcopy(config)))
    if guess[0] == "value" and not guess[1].startswith(os.getcwd() + os.sep):
        expected.folder = guess  # a test writes nowhere else
        return
    try:
        run_job(
            config=config,
            task_function=lambda _: None,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
            hydra_context=HydraContext(config_loader=loader, callbacks=Callbacks()),
            configure_logging=False,
        )
    except Exception as error:
        if OmegaConf.is_missing(config.hydra.runtime, "output_dir"):
            expected.folder = ("error", _seen_of(error))
            return
        expected.folder = ("value", _folder_of(config))  # only the folder itself could not be made
        return
    expected.folder = ("value", _folder_of(config))
    if config.hydra.output_subdir is not None and "${" not in _folder_of(config):
        files = Path(_folder_of(config), config.hydra.output_subdir)
        names = ("config", "hydra", "overrides")
        expected.texts = {name: (files / f"{name}.yaml").read_text(encoding="utf-8") for name in names}


def _folder_of(config: DictConfig) -> Any:
    """As it is written: a folder's name may look like an interpolation."""
    return config.hydra.runtime._get_node("output_dir")._value()


# -- ours against it ---------------------------------------------------------------------------------------------------


def compare(case: Case, comparison: Callable[[Case], Tally] | None = None) -> Tally:
    """Compares each job of a case with Hydra's, in one composer after another.

    Raises:
        AssertionError: something differs; the message holds the smallest case that was found, to be pasted.
    """
    check = comparison or _compare
    try:
        return check(case)
    except Exception:  # an error where Hydra has none is a difference as well
        smaller = _smaller(case, check)
        kind, text, _ = outcome_of(lambda: check(smaller))[1]
        told = f"{kind.__name__}: {text}\n\nReproduce it with compare(...) of\n\n{smaller!r}\n"
        raise AssertionError(told) from None


def _smaller(case: Case, check: Callable[[Case], Tally]) -> Case:
    """The case less the jobs that it fails without."""
    for index in reversed(range(len(case.jobs))):
        fewer = dataclasses.replace(case, jobs=case.jobs[:index] + case.jobs[index + 1 :])
        if outcome_of(lambda fewer=fewer: check(fewer))[0] == "error":  # type: ignore[misc]
            case = fewer
    return case


def _compare(case: Case) -> Tally:
    tally = Tally(cases=1)
    with application(case) as started:
        if started is None:
            return Tally(refused=1)
        master, loader, asked = started
        expected = [expect(loader, master, line, job, case) for job, line in enumerate(case.jobs)]
        composer = Composer(master, asked, exclude=case.exclude)
        for job, line in enumerate(case.jobs):
            before = asked.asked
            is_pieced = _compare_job(composer, line, job, expected[job])
            is_quick = asked.asked == before and expected[job].seen[0] == "value" and line not in composer.frozen.exact
            tally.add(Tally(jobs=1, quick=is_quick, pieced=is_pieced, errors=expected[job].seen[0] == "error"))
        for job in reversed(range(len(case.jobs))):  # what one job has left behind must not show in another
            if expected[job].seen[0] == "value":
                later = look(composer.compose(case.jobs[job]), text=False)
                _is_same("config, later", ("value", later), ("value", {**expected[job].seen[1], "yaml": ""}))
        tally.thawed += _compare_frozen(composer, master, case, expected)
    return tally


def _compare_frozen(composer: Composer, master: DictConfig, case: Case, expected: list[Expected]) -> int:
    """What a resumed sweep composes, in another process and without the config files."""
    frozen = pickle.loads(pickle.dumps(composer.frozen))
    alone = Composer(pickle.loads(freeze_config(master)), None, frozen, exclude=case.exclude)
    jobs = [job for job, one in enumerate(expected) if one.seen[0] == "value"]
    for job in jobs:
        _compare_job(alone, case.jobs[job], job, expected[job])
    return len(jobs)


def _compare_job(composer: Composer, line: Line, job: int, expected: Expected) -> bool:
    """Compares a job; returns whether the files in its ``.hydra`` were put together from pieces."""
    if expected.seen[0] == "error":
        _is_same(f"run key of {line}", outcome_of(lambda: composer.job(line).run_key()), expected.seen)
        if job % 2:
            _is_same(f"config of {line}", outcome_of(lambda: composer.job(line).config()), expected.seen)
        return False
    _is_same(f"run key of {line}", outcome_of(lambda: composer.job(line).run_key()), expected.key)
    _is_same(f"folder of {line}", outcome_of(lambda: composer.job(line).output_dir(job)), expected.folder)
    with composer.job(line).on_loan(job) as loan:
        _is_same(f"loan of {line}", ("value", look(loan, text=False)), expected.numbered)
        if job % 2:
            _is_same(f"values of {line}", outcome_of(lambda: _resolved(loan)), expected.resolved)
    _is_same(f"config of {line}", outcome_of(lambda: look(composer.job(line).config())), expected.seen)
    made = composer.job(line)
    if made.choices is None or not expected.texts:
        return False
    texts = made.order(job, expected.folder[1]).texts
    if texts is not None:
        for name, text in expected.texts.items():
            _is_same(f"{name}.yaml of {line}", getattr(texts, name), text)
    return texts is not None


def _is_same(what: str, found: Any, expected: Any) -> None:
    if found != expected:
        raise AssertionError(f"{what}: {_difference(found, expected)}")


def _difference(found: Any, expected: Any) -> str:
    """The first place where two values differ."""
    if isinstance(found, (tuple, list)) and isinstance(expected, (tuple, list)) and len(found) == len(expected):
        return next(_difference(*pair) for pair in zip(found, expected, strict=True) if pair[0] != pair[1])
    if isinstance(found, dict) and isinstance(expected, dict) and list(found) == list(expected):
        return next(f"{key}: {_difference(found[key], expected[key])}" for key in found if found[key] != expected[key])
    if isinstance(found, str) and isinstance(expected, str) and "\n" in found + expected:
        ours, theirs = found.split("\n"), expected.split("\n")
        at = next((i for i, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), -2)
        return f"line {at}: {ours[at : at + 2]!r}, Hydra's {theirs[at : at + 2]!r}"
    return f"{found!r}, Hydra's {expected!r}"
