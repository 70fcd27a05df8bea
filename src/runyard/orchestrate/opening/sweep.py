"""Opening a sweep or a single run: its directory is claimed and its record written, before anything runs."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from runyard.base import RunyardError, SweepState, UsageError, iso, utc_now, write_text
from runyard.orchestrate.opening.announcing import announce, give_back_output, take_announcement
from runyard.orchestrate.opening.aside import set_aside
from runyard.orchestrate.opening.config import (
    CALLBACK,
    OUR_LAUNCHERS,
    absolute,
    finisher,
    gate_rules,
    launcher_name,
    recorder_settings,
    task_overrides,
)
from runyard.orchestrate.opening.identity import claim_directory, sweep_id
from runyard.orchestrate.opening.settings import RecorderSettings
from runyard.orchestrate.opening.snapshot import freeze, submission_of
from runyard.record import (
    Entry,
    GitState,
    RunPaths,
    SweepPaths,
    SweepRecord,
    controller_identity,
    current_entry,
    gather,
    git_sha,
    git_state,
    imported_code,
    read_sweep,
    redact,
    redact_command,
    redact_override,
    save_code,
    save_patch,
    with_own_file,
    write_sweep,
)
from runyard.registry import Registry, add_to_index

#: the resolver in ``hydra.sweep.dir`` that names a new sweep; its value is kept in the config's resolver cache.
RESOLVER = "runyard.sweep_id"


def new_sweep_id(label: Any = None) -> str:
    """A name for a sweep that starts now: what the resolver gives. Claims nothing."""
    sha = git_sha(Path.cwd())
    text = None if label in (None, "", "None", "null") else str(label)
    return sweep_id(utc_now(), sha[:7] if sha else "nogit", text)


@dataclass(slots=True)
class OpenSweep:
    """A sweep that this process has opened. ``root`` is where its registry lies, or None when none is kept.

    ``is_claimed`` tells that this process has made the directory, and that it was not there before. ``is_detached``
    tells that its jobs are run elsewhere, and go on after this process has ended. ``taken_up`` is where the results of
    jobs come from that run now, in a sweep that was taken up again; None where it is as in the record.
    """

    dir: Path
    root: Path | None
    record: SweepRecord
    settings: RecorderSettings
    entry: Entry | None
    is_claimed: bool = False
    is_detached: bool = False
    taken_up: Mapping[str, Any] | None = None

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Where the results of jobs come from that are run by this process."""
        return self.record.provenance if self.taken_up is None else self.taken_up

    @property
    def paths(self) -> SweepPaths:  # noqa: D102
        return SweepPaths(self.dir)

    def save(self, **changes: Any) -> None:
        """Changes the record and writes it."""
        self.record = dataclasses.replace(self.record, **changes)
        write_sweep(self.dir, self.record)

    def abandon(self) -> None:
        """Takes back a sweep of which nothing can run: removes what opening it has made, and nothing else."""
        _open.pop(self.dir, None)
        give_back_output()
        if self.is_claimed:
            shutil.rmtree(self.dir, ignore_errors=True)
            return
        paths = self.paths
        for file in (paths.sweep_json, paths.config_yaml, paths.plan_csv, paths.multirun_yaml, paths.start_log):
            file.unlink(missing_ok=True)
        shutil.rmtree(paths.snapshot, ignore_errors=True)


_open: dict[Path, OpenSweep] = {}


def open_sweep(config: DictConfig, *, single: bool = False) -> OpenSweep:
    """The sweep of a composed config: opened the first time, the same one after that.

    Makes the directory, ``sweep.json``, ``config.yaml`` and, in a dirty repository, the patch.

    Raises:
        UsageError: a setting is wrong, the place cannot be written to, or another sweep has the directory.
    """
    settings = recorder_settings(config)
    gate_rules(settings, Path(str(config.hydra.runtime.cwd)))  # what is wrong with them is said before anything runs
    finisher(settings.finish)  # as with the gates
    baseline = _baseline(config, settings)
    folder = _directory(config, single)
    if folder in _open:
        return _open[folder]
    if not single:
        _refuse_inside_own_job(current_entry(str(config.hydra.runtime.cwd)))
    waiting = take_announcement()
    folder, aside = _claim(config, folder, single)
    cwd = str(config.hydra.runtime.cwd)
    git = git_state(Path(cwd))
    entry = current_entry(cwd) if single else with_own_file(current_entry(cwd), SweepPaths(folder).snapshot)
    root = settings.single_root if single else settings.root
    opened = OpenSweep(
        dir=folder,
        root=absolute(config, root) if root else None,
        record=dataclasses.replace(
            _new_record(config, folder, settings, git, entry, single), baseline=baseline, finish=settings.finish
        ),
        settings=settings,
        entry=entry,
        is_claimed=_is_named_by_us(config, single),
    )
    try:
        _write_first(opened, config, single)
    except OSError:
        opened.abandon()
        raise
    if aside is not None and opened.root is not None:
        _index_moved(opened.root, aside)
    _open[folder] = opened
    announce(waiting, folder, opened.paths.start_log)
    return opened


def _write_first(opened: OpenSweep, config: DictConfig, single: bool) -> None:
    """Writes what every sweep has from its beginning."""
    if _can_be_resumed(config, single):
        freeze(opened.dir, submission_of(config, opened.entry))  # first: what has a record can be taken up again
    if not single:
        _note_code(opened, Path(str(config.hydra.runtime.cwd)))
    write_sweep(opened.dir, opened.record)
    _write_config(config, opened.dir)


def _refuse_inside_own_job(entry: Entry | None) -> None:
    """Refuses a sweep that a job of the same program starts: a library has run the command line again for its ranks.

    Raises:
        UsageError: it is one.
    """
    outer, job = os.environ.get("RUNYARD_SWEEP_DIR"), os.environ.get("RUNYARD_JOB")
    if not outer or not job or entry is None:
        return
    try:
        started = read_sweep(Path(outer)).entry
    except RunyardError:
        return
    if started is not None and Path(started["target"]).name == Path(entry.target).name:
        raise UsageError(
            f"this process belongs to job {job} of a sweep of the same program, and would start the sweep again",
            where=outer,
            todo="let the library start its ranks by a command of its own, not by sys.argv; for a sweep inside a job, "
            "unset RUNYARD_JOB",
        )


def _note_code(opened: OpenSweep, cwd: Path) -> None:
    """Keeps which of the application's source files this process has imported."""
    code = imported_code(cwd)
    save_code(opened.paths.code, code)
    provenance = {**opened.record.provenance, "code": {"base": code.id, "files": {}}}
    opened.record = dataclasses.replace(opened.record, provenance=provenance)


def adopt(opened: OpenSweep) -> OpenSweep:
    """Makes a sweep that was opened from its files the open one of its directory."""
    _open[opened.dir] = opened
    return opened


def opened_for(config: DictConfig, *, single: bool = False) -> OpenSweep | None:
    """The sweep that this process has opened for a config, or None."""
    return _open.get(_directory(config, single))


def _directory(config: DictConfig, single: bool) -> Path:
    key = "hydra.run.dir" if single else "hydra.sweep.dir"
    return Path(os.path.abspath(absolute(config, str(OmegaConf.select(config, key)))))


def _index_moved(root: Path, aside: Path) -> None:
    """Tells registry and index where a sweep that was set aside lies now; they are derived, and can do without."""
    with contextlib.suppress(OSError, RunyardError):
        Registry(root).put(aside)
        add_to_index(root, read_sweep(aside), aside)


def _claim(config: DictConfig, folder: Path, single: bool) -> tuple[Path, Path | None]:
    """Makes the directory; returns it, and where a sweep went that was in it."""
    if not _is_named_by_us(config, single):
        return folder, _take_given(folder)
    claimed = claim_directory(folder)
    names = OmegaConf.get_cache(config)[RESOLVER]
    for arguments, name in list(names.items()):
        if name == folder.name:
            names[arguments] = claimed.name
    return claimed, None


def _can_be_resumed(config: DictConfig, single: bool) -> bool:
    target = str(OmegaConf.select(config, "hydra.launcher._target_", default=""))
    return not single and target in OUR_LAUNCHERS


def _is_named_by_us(config: DictConfig, single: bool) -> bool:
    """Whether the directory's name came from our resolver; else the user chose it, and it may be there already."""
    raw: Any = (config.hydra.run if single else config.hydra.sweep)._get_node("dir")
    return f"${{{RESOLVER}" in str(raw._value())


def _take_given(folder: Path) -> Path | None:
    aside = set_aside(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise UsageError(
            f"the sweep's directory cannot be made ({exc.strerror})", where=str(folder), todo="give another place"
        ) from exc
    return aside


def _new_record(
    config: DictConfig, folder: Path, settings: RecorderSettings, git: GitState, entry: Entry | None, single: bool
) -> SweepRecord:
    import sys

    patch = save_patch(git, RunPaths(folder).patch if single else SweepPaths(folder).patch)
    command = redact_command(sys.orig_argv)
    provenance = gather(
        git=git, command=command, environment=os.environ, tags=settings.tags, note=settings.note, patch=patch
    )
    return SweepRecord(
        sweep_id=folder.name if _is_named_by_us(config, single) else new_sweep_id(settings.label),
        experiment=settings.experiment,
        state=SweepState.RUNNING,
        command=command,
        cwd=str(config.hydra.runtime.cwd),
        overrides=tuple(redact_override(o) for o in task_overrides(config)),
        launcher="none" if single else launcher_name(config),
        created_at=iso(utc_now()),
        provenance=provenance,
        tags=settings.tags,
        note=settings.note,
        paths={},
        entry=entry.to_json() if entry else None,
        controller=controller_identity(),
        single=single,
    )


def _baseline(config: DictConfig, settings: RecorderSettings) -> str | None:
    """The directory of the sweep that the gates compare with, looked up now: ``latest`` is soon this one."""
    if settings.baseline is None:
        return None
    from runyard.registry import find_sweep

    try:
        return str(find_sweep(settings.baseline, [absolute(config, settings.root)] if settings.root else []))
    except UsageError as error:
        raise UsageError(error.what, where=f"{CALLBACK}.baseline", todo=error.todo) from error


def provenance_now(opened: OpenSweep) -> dict[str, Any]:
    """Where results come from that are made of a sweep now, from the checkout as it is; keeps its patch, if any."""
    git = git_state(Path(opened.record.cwd))
    kept = SweepPaths(opened.dir).patch
    patch = save_patch(git, kept.with_name(f"git-{utc_now():%Y%m%dT%H%M%S}-{os.getpid()}.patch"))
    now = gather(
        git=git,
        command=opened.record.command,
        environment=os.environ,
        tags=opened.record.tags,
        note=opened.record.note,
        patch=patch,
    )
    return {**opened.record.provenance, **now}


def _write_config(config: DictConfig, folder: Path) -> None:
    plain: Any = OmegaConf.to_container(config, resolve=False)
    plain.pop("hydra", None)
    write_text(SweepPaths(folder).config_yaml, OmegaConf.to_yaml(OmegaConf.create(redact(plain))))
