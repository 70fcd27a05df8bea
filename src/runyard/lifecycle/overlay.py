"""The text of a promoted config: a file of the config group ``production``, over the application's own. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from runyard.lifecycle.subject import Subject

GROUP = "production"
_PLAIN = re.compile(r"[A-Za-z_][\w/.-]*")
_NOT_TEXT = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")


def overlay_text(values: Mapping[str, Any], overrides: Mapping[str, Any], head: Sequence[str]) -> str:
    """The file: its header, the config groups that are chosen again, the values.

    Args:
        values: the config, plain.
        overrides: options by config group, for the groups of the application's defaults list.
        head: lines of the header, without ``#``.
    """
    from omegaconf import OmegaConf

    lines = ["# @package _global_", *(f"# {line}".rstrip() for line in head)]
    if overrides:
        lines += ["defaults:", *(f"  - override /{group}: {_scalar(chosen)}" for group, chosen in overrides.items())]
        lines.append("")
    return "\n".join(lines) + "\n" + OmegaConf.to_yaml(OmegaConf.create(dict(values)))


def _scalar(chosen: Any) -> str:
    """An option as YAML on one line: quoted where it could be taken for something else than text."""
    is_plain = isinstance(chosen, str) and _PLAIN.fullmatch(chosen) and chosen.lower() not in _NOT_TEXT
    return str(chosen) if is_plain else json.dumps(chosen)


def header(subject: Subject, *, name: str, use: str, promoted_at: str, gates: str, kept: Sequence[str]) -> list[str]:
    """Where a promoted config came from, a fact a line.

    Args:
        subject: the run.
        name: the name of the config.
        use: the command that uses it.
        promoted_at: ISO 8601, in UTC.
        gates: which gates were passed.
        kept: resolvers whose interpolations were kept as they are written.
    """
    git = subject.git
    commit = str(git.get("sha") or "none: the code was in no git repository")
    if git.get("dirty"):
        commit += f", with changes: {git.get('patch')} in the sweep"
    metrics = ", ".join(f"{key}={value:.6g}" for key, value in subject.run.metrics.items())
    lines = [
        f"{name}: the exact config of one run, made by 'runyard promote'. To use it:",
        f"  {use}",
        f"run:       {subject.name}",
        f"directory: {subject.run_dir}",
        f"run_key:   {subject.run.run_key}",
        f"commit:    {commit}",
        f"metrics:   {metrics or 'none'}",
        f"gates:     {gates}",
        f"overrides: {' '.join(subject.run.overrides) or 'none'}",
        f"command:   {' '.join(subject.sweep.command)}",
        f"ran:       {subject.ended_at}",
        f"promoted:  {promoted_at}",
    ]
    if kept:
        lines.append(f"not resolved, because only the application can: {', '.join(kept)}")
    return [" ".join(line.splitlines()) if line.strip() else line for line in lines]
