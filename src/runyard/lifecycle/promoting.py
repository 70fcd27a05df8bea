"""Promoting a run: its exact config becomes a config of the application's group ``production``."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runyard.base import State, UsageError, iso, utc_now, write_text
from runyard.gates import judge, parse_rule
from runyard.lifecycle.champions import LOCK_FILE, Champion, add_champion, read_champions
from runyard.lifecycle.hold import held
from runyard.lifecycle.keeping import mark_promoted
from runyard.lifecycle.overlay import GROUP, header, overlay_text
from runyard.lifecycle.resolved import ExactConfig, exact_config, key_here
from runyard.lifecycle.subject import Subject, subject_of
from runyard.lifecycle.trial import GroupNotThere, composed_config, use_command
from runyard.lifecycle.verdict import verdict_on
from runyard.record import SweepPaths

_NAME = "letters, digits, '_', '-' and '.', a letter or digit first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """What was promoted, or would be. ``text`` is that of the config; ``before`` the champion whose place it takes."""

    champion: Champion
    path: Path
    text: str
    use: str
    before: Champion | None = None


def promote(
    sweep_dir: Path,
    job: int | None,
    *,
    conf_dir: Path,
    name: str | None = None,
    require: Sequence[str] = (),
    force: bool = False,
    dry_run: bool = False,
    trial: bool = True,
) -> Promotion:
    """Copies the exact config of a run to ``<conf_dir>/production/<name>.yaml``, and notes it in champions.json.

    Args:
        sweep_dir: the sweep, or single run.
        job: number of the job; None where there is only one.
        conf_dir: the application's config directory.
        name: of the config; None makes it of the experiment's.
        require: rules ``metric op number`` that the run must meet besides its gates.
        force: replace a config of that name.
        dry_run: check everything, write nothing that stays.
        trial: start the application with the new config, and compare what it composes with what the run had.

    Raises:
        UsageError: the run is not COMPLETED, has not passed its gates, misses a requirement, or cannot be made again
            from its record; or the name is taken.
    """
    subject = subject_of(sweep_dir, job)
    gates = _fit(subject, require)
    exact = exact_config(subject)
    folder = conf_dir / GROUP
    chosen = _checked_name(name or subject.sweep.experiment)
    if not conf_dir.is_dir():
        raise UsageError(f"no directory {conf_dir}", where="--conf-dir", todo="name the application's config directory")
    with contextlib.nullcontext() if dry_run else held(folder / LOCK_FILE):
        before = {entry.name: entry for entry in read_champions(folder)}.get(chosen)
        path = folder / f"{chosen}.yaml"
        if path.exists() and not force:
            whose = f", promoted from {before.sweep_id}/{before.job}" if before else ""
            raise UsageError(
                f"there is a config {chosen!r} already{whose}",
                where=str(path),
                todo="give another --name, or replace it with --force",
            )
        moment = iso(utc_now())
        use = shlex.join(use_command(subject, chosen))
        head = header(subject, name=chosen, use=use, promoted_at=moment, gates=gates, kept=exact.unknown)
        text = _tried(subject, exact, head, folder) if trial else overlay_text(exact.values, exact.choices, head)
        champion = _champion(subject, chosen, path, text, gates, moment)
        if not dry_run:
            mark_promoted(sweep_dir, subject.run.job, chosen, path, moment)  # first: rather keep too much
            write_text(path, text, sync=True)
            add_champion(folder, champion)
    return Promotion(champion=champion, path=path, text=text, use=use, before=before)


def _fit(subject: Subject, require: Sequence[str]) -> str:
    """Checks that a run may be promoted; returns which gates it has passed."""
    run, where = subject.run, str(subject.run_dir)
    if run.state is not State.COMPLETED:
        raise UsageError(
            f"{subject.name} is {run.state}: only what is COMPLETED can be promoted",
            where=where,
            todo="run it again: 'runyard retry', or promote another run",
        )
    verdict = verdict_on(subject)
    if verdict.passed is None:
        raise UsageError(
            f"nobody has judged {subject.name}: {verdict.why}",
            where=where,
            todo=f"judge it: runyard gate {subject.sweep.sweep_id} --rule 'METRIC < NUMBER'",
        )
    if not verdict.passed:
        raise UsageError(f"{subject.name} has not passed its gates: {verdict.why}", where=where)
    for line in require:
        judged = judge(
            _threshold(line), {run.job: _number(run.metrics.get(parse_rule(line).metric))}, None, has_baseline=False
        )
        if not judged.passed:
            raise UsageError(f"{subject.name} does not meet {judged.rule.text!r}: {judged.why}", where=where)
    _refuse_lost_changes(subject)
    return verdict.why


def _threshold(line: str) -> Any:
    rule = parse_rule(line, "--require")
    if rule.needs_baseline:
        raise UsageError(f"{line!r} is not 'METRIC < NUMBER'", where="--require")
    return rule


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _refuse_lost_changes(subject: Subject) -> None:
    """Refuses a run of changed code when the changes were not kept: nobody can have that code again."""
    git = subject.git
    patch = git.get("patch")
    kept = isinstance(patch, str) and any(
        (folder / patch).is_file()
        for folder in (SweepPaths(subject.sweep_dir).snapshot, subject.sweep_dir, subject.run_dir)
    )
    if git.get("dirty") and not kept:
        raise UsageError(
            f"{subject.name} ran code with changes to commit {str(git.get('sha'))[:7]} that were not kept"
            + (f" ({patch})" if patch else ""),
            where=str(subject.sweep_dir),
            todo="commit the code, run the job again and promote that",
        )


def _checked_name(name: str) -> str:
    plain = name.replace("_", "").replace("-", "").replace(".", "")
    if not plain.isalnum() or not plain.isascii() or not name[0].isalnum() or name.endswith((".yaml", ".yml")):
        raise UsageError(
            f"{name!r} cannot be the name of a config", where="--name", todo=f"use {_NAME}; no .yaml behind it"
        )
    return name


def _tried(subject: Subject, exact: ExactConfig, head: Sequence[str], folder: Path) -> str:
    """The text of a config that the application composes to what the run had.

    Groups that the application's defaults list does not have came by ``+group=option``; all that they gave is among the
    values, so they need not be chosen again.
    """
    choices: Mapping[str, Any] = exact.choices
    draft = folder / f"trial_{os.getpid()}_{os.urandom(4).hex()}.yaml"
    is_new = not folder.is_dir()
    folder.mkdir(exist_ok=True)
    try:
        while True:
            text = overlay_text(exact.values, choices, head)
            write_text(draft, text)
            try:
                composed = composed_config(subject, draft.stem)
            except GroupNotThere as error:
                if error.group not in choices:
                    raise
                choices = {group: option for group, option in choices.items() if group != error.group}
                continue
            break
    finally:
        draft.unlink(missing_ok=True)
        if is_new:
            with contextlib.suppress(OSError):  # somebody else has begun to use it
                folder.rmdir()
    _compare(subject, exact, composed)
    return text


def _compare(subject: Subject, exact: ExactConfig, composed: Any) -> None:
    key = key_here(composed, exact.exclude)
    if key != exact.key:
        from omegaconf import OmegaConf

        there = OmegaConf.to_container(composed, resolve=False)
        raise UsageError(
            f"the application of today composes another config from it than {subject.name} had: "
            f"{_first_difference(exact.values, there) or 'the run keys differ'}",
            where=str(subject.run_dir / ".hydra" / "config.yaml"),
            todo="the application's defaults hold what the run did not have; run the job again as it is now, "
            "or write the file without the trial: --no-trial",
        )


def _first_difference(ours: Any, theirs: Any, path: str = "") -> str:
    """Where two plain configs differ, in words; empty where they do not, interpolations left aside."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for key in [*ours, *(k for k in theirs if k not in ours)]:
            place = f"{path}.{key}" if path else str(key)
            if key not in theirs or key not in ours:
                return f"{place} is only in {'the run' if key in ours else 'the application'}"
            found = _first_difference(ours[key], theirs[key], place)
            if found:
                return found
        return ""
    if ours == theirs or any(isinstance(value, str) and "${" in value for value in (ours, theirs)):
        return ""
    return f"{path} is {theirs!r}, and was {ours!r}"


def _champion(subject: Subject, name: str, path: Path, text: str, gates: str, moment: str) -> Champion:
    run = subject.run
    return Champion(
        name=name,
        sweep_id=subject.sweep.sweep_id,
        job=run.job,
        run_key=run.run_key,
        run_dir=str(subject.run_dir),
        promoted_at=moment,
        file=path.name,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        experiment=subject.sweep.experiment,
        commit=subject.git.get("sha"),
        metrics=dict(run.metrics),
        gates=gates,
        command=subject.sweep.command,
    )
