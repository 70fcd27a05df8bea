"""Files that are seen whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

_TEMPORARY = ".tmp"


def write_npz(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Writes arrays; the same arrays give the same bytes (npz members carry a fixed date)."""
    # its signature gained a keyword in numpy 2, which a mapping of arrays is checked against
    savez: Callable[..., None] = np.savez
    _write(path, lambda file: savez(file, **arrays))


def write_text(path: Path, text: str) -> None:
    """Writes a text in UTF-8 with its line ends as they are."""
    _write(path, lambda file: file.write(text.encode()))


def remove_leftovers(folder: Path) -> None:
    """Removes what a killed writer left behind; nothing else may be writing into the folder."""
    for path in folder.glob(f".*{_TEMPORARY}"):
        path.unlink(missing_ok=True)


def _write(path: Path, fill: Callable[[IO[bytes]], object]) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(3)}{_TEMPORARY}")
    try:
        with draft.open("wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
