"""Placeholders in the texts of a stage: what may stand between braces, and texts with them filled in."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Any

from runyard.base import unknown_name
from runyard.pipeline.declared import Stage, StageContext


def filled(text: str, known: Mapping[str, Any], where: str) -> str:
    """The text with ``{name}`` in it replaced; ``{{`` and ``}}`` stand for braces.

    Raises:
        UsageError: a name is not known.
    """

    def replaced(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return match.group(0)[0]
        if match.group(1) not in known:
            raise unknown_name("placeholder", match.group(1), known, where=where)
        return str(known[match.group(1)])

    return re.sub(r"\{\{|\}\}|\{([^{}]*)\}", replaced, text)


def placeholders(
    cfg: Mapping[str, Any], inputs: Mapping[str, Mapping[str, Any]], context: StageContext
) -> dict[str, Any]:
    """Everything that can stand between braces.

    Args:
        cfg: the task's config as plain mappings; its ``stages`` are left out.
        inputs: by stage and output, the path.
        context: where the stage works.
    """
    known: dict[str, Any] = {"dir": context.dir, "run_dir": context.run_dir, "python": sys.executable}
    known.update({f"inputs.{s}.{o}": path for s, outputs in inputs.items() for o, path in outputs.items()})
    known.update(dotted("cfg", {k: v for k, v in cfg.items() if k != "stages"}))
    return known


def dotted(prefix: str, value: Any) -> dict[str, Any]:
    """The leaves of nested mappings by their dotted names; lists, booleans and None as JSON."""
    if not isinstance(value, Mapping):
        return {prefix: json.dumps(value) if isinstance(value, (list, bool)) or value is None else value}
    return {k: v for name, part in value.items() for k, v in dotted(f"{prefix}.{name}", part).items()}


def check_texts(stage: Stage, known: Mapping[str, Any]) -> None:
    """Refuses unknown placeholders in the command and the file patterns of a stage.

    Raises:
        UsageError: a name is not known.
    """
    command = (stage.command,) if isinstance(stage.command, str) else stage.command or ()
    for key, texts in (("command", command), ("files", stage.files)):
        for text in texts:
            filled(text, known, f"stages.{stage.name}.{key}")
