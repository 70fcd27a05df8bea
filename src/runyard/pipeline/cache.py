"""The shared cache of stages: a result is computed by whoever comes first; the others wait, check and copy it."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runyard.base import RecordError, digest, read_json, write_json
from runyard.pipeline.outputs import hash_of
from runyard.pipeline.shared import locked, publish
from runyard.record import ActiveRun, redact

CACHE_VARIABLE = "RUNYARD_STAGE_CACHE"
_ENTRY = "entry.json"
_OWN = ("stage.json", "tables")  # of the job that computes, not of the result
_log = logging.getLogger(__name__)

#: metrics, outputs by name, and hashes of these.
Result = tuple[dict[str, Any], dict[str, str], dict[str, str]]


def cached(
    run: ActiveRun, name: str, key: Mapping[str, Any], folder: Path, compute: Callable[[], Result]
) -> tuple[Result, str | None]:
    """The result of a stage, whose files lie in ``folder`` afterwards, and who had computed it (None: this job).

    A single run has nobody to share with, unless the variable names a place: it keeps no second copy of its files.
    An entry whose files are not what they were is thrown away and computed anew. The lock is freed by the system when
    its holder ends, however it ends: then the next one computes.
    """
    root = os.environ.get(CACHE_VARIABLE)
    if run.job is None and not root:
        return compute(), None
    parent = (Path(root) if root else run.shared_dir / "stages") / name
    entry = parent / digest(dict(key))[:24]
    parent.mkdir(parents=True, exist_ok=True)
    with locked(parent / f".{entry.name}.lock"):
        found = _read(entry)
        if found is None:
            return _computed(run, entry, key, folder, compute), None
        # under the lock: who finds the entry damaged puts another in its place
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(entry / "files", folder)
    return (found["metrics"], found["outputs"], found["hashes"]), found["by"]


def _computed(
    run: ActiveRun, entry: Path, key: Mapping[str, Any], folder: Path, compute: Callable[[], Result]
) -> Result:
    _clear(folder)
    metrics, outputs, hashes = result = compute()

    def fill(draft: Path) -> None:
        shutil.copytree(folder, draft / "files", ignore=shutil.ignore_patterns(*_OWN))
        value = {"metrics": metrics, "outputs": outputs, "hashes": hashes, "by": f"job {run.job}: {run.dir}"}
        write_json(draft / _ENTRY, {"key": redact(dict(key)), **value})

    publish(entry, fill)
    return result


def _clear(folder: Path) -> None:
    """Takes away what an earlier attempt left, which may have been killed: it must not get into the entry."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != "stage.json":
            path.unlink()


def _read(entry: Path) -> dict[str, Any] | None:
    """The entry's record if its files are what they were; None otherwise."""
    try:
        value: dict[str, Any] = read_json(entry / _ENTRY)
        intact = all(hash_of(entry / "files" / p) == value["hashes"][n] for n, p in value["outputs"].items())
    except FileNotFoundError:
        intact = False
        if not entry.exists():
            return None
    except (OSError, RecordError, KeyError, TypeError, AttributeError):
        intact = False
    if not intact:
        _log.warning("the entry %s of the stage cache is damaged: it is computed anew", entry)
        return None
    return value
