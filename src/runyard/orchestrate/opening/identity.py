"""Names of sweeps, and the claim of a directory that no other sweep can have."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path

from runyard.base import UsageError

_LABEL = re.compile(r"[^A-Za-z0-9._=,+-]+")


def sweep_id(moment: datetime, short_sha: str, label: str | None) -> str:
    """``YYYYmmddTHHMMSSZ-<short git sha or nogit>[-<label>]``, the time in UTC.

    >>> sweep_id(datetime(2026, 1, 31, 12, 0, 5, tzinfo=timezone.utc), "abc1234", "my label")
    '20260131T120005Z-abc1234-my-label'
    """
    stamp = moment.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    clean = _LABEL.sub("-", label or "").strip("-")[:60]
    return "-".join(part for part in (stamp, short_sha, clean) if part)


def claim_directory(wanted: Path) -> Path:
    """Makes a directory that was not there, ``wanted`` or one with the next free number behind its name.

    Making a directory is one step on every file system, shared ones too: of two sweeps that want the same name
    in the same second, on whatever hosts, one gets it and the other the next.

    Raises:
        UsageError: the place cannot be written to.
    """
    number = 1
    while True:
        candidate = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        try:
            candidate.parent.mkdir(parents=True, exist_ok=True)
            candidate.mkdir()
            return candidate
        except FileExistsError:
            number += 1
        except OSError as exc:
            raise UsageError(
                f"the sweep's directory cannot be made ({exc.strerror})",
                where=str(candidate),
                todo="free some space or choose another place with hydra.callbacks.runyard.root=DIR",
            ) from exc
