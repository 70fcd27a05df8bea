"""The manifest and the diagnostics of a run, made from what its stages have left in its directory."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

from runyard import ActiveRun

from . import contracts
from .config import ContestConfig
from .inputs import input_hashes, resolve
from .seeds import module_seeds
from .tables import read_json, write_json

SCHEMA_VERSION = 1
MANIFEST_FILE, DIAGNOSTICS_FILE = "manifest.json", "diagnostics.json"

LAYOUT: Mapping[str, tuple[str, ...]] = {
    "variants": ("catalog.parquet", "summary.json"),
    "optimizer": ("lineups.parquet", "dk_export.csv", "metrics.json"),
    "field_sampler": ("entrants.parquet", "telemetry.json", "metrics.json"),
    "sim": ("results.parquet", "metrics.json"),
    "export": ("summary.md",),
}
"""The artifacts by stage; each stage has a ``logs.jsonl`` besides."""

_PACKAGES = ("runyard", "numpy", "scipy", "pyarrow", "jsonschema")


def run_id(run: ActiveRun) -> str:
    """The run's name: that of its directory; of a job of a sweep, the sweep's and the job's number."""
    return run.dir.name if run.sweep_dir is None else f"{run.sweep_dir.name}/{run.job}"


def write_manifest(cfg: ContestConfig, run: ActiveRun, now: datetime) -> dict[str, Any]:
    """Writes ``diagnostics.json`` and ``manifest.json`` into the run's directory, checked against their schemas.

    Returns:
        The manifest.

    Raises:
        ContractBroken: one of them does not keep to its schema.
    """
    diagnostics = {stage: _diagnostics(run.dir / stage / "logs.jsonl") for stage in LAYOUT}
    contracts.check(diagnostics, "run_manifest", "diagnostics")
    write_json(run.dir / DIAGNOSTICS_FILE, diagnostics)
    manifest = _manifest(cfg, run, now)
    contracts.check(manifest, "run_manifest")
    write_json(run.dir / MANIFEST_FILE, manifest)
    return manifest


def artifact_hashes(run_dir: Path) -> dict[str, str]:
    """SHA-256 of each artifact of the stages, by its path in the run's directory."""
    paths = [f"{stage}/{name}" for stage, names in LAYOUT.items() for name in names]
    return {path: hashlib.sha256((run_dir / path).read_bytes()).hexdigest() for path in paths}


def _manifest(cfg: ContestConfig, run: ActiveRun, now: datetime) -> dict[str, Any]:
    inputs = resolve(cfg)
    files = {"projections": inputs.projections, "player_ids": inputs.player_ids, "contests": cfg.contests}
    hashes = artifact_hashes(run.dir)
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": run_id(run),
        "slate_id": cfg.slate,
        "contest": cfg.contest,
        "tag": cfg.tag,
        "created_at": now.astimezone(timezone.utc).isoformat(timespec="milliseconds"),
        "git": _commit(run.dir),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        "seeds": {"run": cfg.seed, "optimizer": None, **module_seeds(cfg.seed)},
        "inputs": {
            "source": inputs.source,
            "files": {name: str(path) for name, path in files.items() if path is not None},
            "sha256": input_hashes(cfg),
        },
        "timings": {stage: _timing(run.dir / stage / "stage.json") for stage in LAYOUT},
        "paths": {"root": str(run.dir), **{path.replace("/", ".").rsplit(".", 1)[0]: path for path in hashes}},
        "hashes": hashes,
        "metrics_head": read_json(run.dir / "sim" / "metrics.json")["metrics_head"],
    }


def _commit(run_dir: Path) -> str | None:
    """The short commit in the record that the launcher keeps of the run; None without a record or a repository."""
    try:
        git = read_json(run_dir / "run.json")["provenance"]["git"]
    except (FileNotFoundError, KeyError):
        return None
    return str(git["sha"])[:7] if git and git.get("sha") else None


def _timing(path: Path) -> dict[str, Any]:
    record = read_json(path)
    return {"seconds": record["seconds"], "how": record["how"]}


def _diagnostics(path: Path) -> dict[str, Any]:
    """The last ``diagnostics`` event of a stage's log, without what every event has."""
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    last = next(event for event in reversed(events) if event["event"] == "diagnostics")
    return {name: value for name, value in last.items() if name not in ("time", "stage", "event")}
