"""An origin: what a run's result depends on besides its swept values, as far as the records tell. Reads only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from runyard.analyze.cells import cell_text, param_cell
from runyard.base import RecordError, State, read_json
from runyard.record import RunPaths, RunRecord, SweepPaths, read_code

Kind = Literal["commit", "code", "dirty", "package", "python", "host", "gpu", "config"]
#: by kind and subject (a package, a source file, a key of the config; empty where there is but one).
Facets = Mapping[tuple[Kind, str], str]
_SHORT = 7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Origin:
    """What is known of where results come from. Runs that have all in common share one object.

    ``is_dirty`` tells of uncommitted changes. A facet that is not known is left out; of a key of the config that means
    that nothing was given for it.
    """

    facets: Facets
    is_dirty: bool


class Origins:
    """Makes the origins of the runs of one sweep, each kind of origin once.

    Args:
        sweep_dir: the sweep.
        swept: names whose values are declared to differ, without a leading ``+``.
        config: settings that all of its jobs have in common, by key.
    """

    def __init__(self, sweep_dir: Path, swept: Collection[str], config: Mapping[str, str] | None = None) -> None:
        self._swept = frozenset(swept)
        self._config = {name: value for name, value in (config or {}).items() if name not in self._swept}
        base = read_code(SweepPaths(sweep_dir).code)
        self._base_id = base.id if base is not None else None
        self._base: Mapping[str, str] = base.files if base is not None else {}
        self._patch = _digest(SweepPaths(sweep_dir).patch) or _digest(RunPaths(sweep_dir).patch)
        self._known: dict[str, Origin] = {}

    def of(self, run: RunRecord) -> Origin:
        """The origin of a run, from its record and, where the journal told of it, from its ``run.json``."""
        provenance = _provenance(run)
        host = run.attempts[-1].host if run.attempts else None
        overrides = self._settings(run.overrides)
        told = {key: value for key, value in provenance.items() if key in _TOLD}
        patch = self._patch if run.reused is None else None  # a result that was taken over has the other sweep's
        key = json.dumps([told, host, patch, sorted(overrides.items())], sort_keys=True, default=str)
        if key not in self._known:
            self._known[key] = self._made(told, host, patch, overrides)
        return self._known[key]

    def _settings(self, overrides: Sequence[str]) -> dict[str, str]:
        """The overrides that are neither swept nor Hydra's or Runyard's own."""
        settings = {}
        for override in overrides:
            name, _, value = override.partition("=")
            name = name.lstrip("+")
            own = name == "runyard" or name.startswith(("hydra.", "hydra/"))
            if name not in self._swept and not own:
                settings[name] = cell_text(param_cell(value))
        return settings

    def _made(
        self, told: Mapping[str, Any], host: str | None, patch: str | None, overrides: Mapping[str, str]
    ) -> Origin:
        git = _mapping(told.get("git"))
        facets: dict[tuple[Kind, str], str] = {}
        facets |= {("config", name): value for name, value in {**self._config, **overrides}.items()}
        facets |= {("package", name): str(version) for name, version in _mapping(told.get("packages")).items()}
        files = self._files(_mapping(told.get("code")))
        facets |= {("code", path): digest[:_SHORT] for path, digest in files.items() if digest}
        if git.get("sha"):
            facets["commit", ""] = str(git["sha"])[:_SHORT]
        if git.get("dirty") and patch:
            facets["dirty", ""] = patch
        if told.get("python"):
            facets["python", ""] = str(told["python"])
        name = host or _mapping(told.get("host")).get("name")
        if name:
            facets["host", ""] = str(name)
        if isinstance(told.get("gpus"), list):
            facets["gpu", ""] = ", ".join(sorted(map(str, told["gpus"]))) or "none"
        return Origin(facets=facets, is_dirty=bool(git.get("dirty")))

    def _files(self, code: Mapping[str, Any]) -> dict[str, str]:
        own = {str(path): str(digest) for path, digest in _mapping(code.get("files")).items()}
        return {**self._base, **own} if code.get("base") and code["base"] == self._base_id else own


_TOLD = frozenset({"git", "python", "packages", "host", "gpus", "code"})


def _provenance(run: RunRecord) -> Mapping[str, Any]:
    """All of it: of a run that the journal told of, the file has the rest."""
    known = _mapping(run.provenance)
    if "python" in known or run.state is not State.COMPLETED:
        return known
    try:
        return _mapping(_mapping(read_json(RunPaths(Path(run.run_dir)).run_json)).get("provenance")) or known
    except (OSError, RecordError):
        return known


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:_SHORT]
    except OSError:
        return None
