"""Inputs: which files a slate's name stands for, their hashes, and the slate in them."""

from __future__ import annotations

import glob
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from runyard import UsageError

from .config import ContestConfig
from .slate import Slate, read_slate
from .synthetic import synthetic_slate

PROJECTIONS_FILE, PLAYER_IDS_FILE = "projections.csv", "player_ids.csv"
SYNTHETIC, FILES = "synthetic", "files"

_SYNTHETIC = re.compile(r"synthetic-(\d{1,9})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a slate's name stands for: a seed to generate it from, or two files.

    Attributes:
        source: ``synthetic`` or ``files``.
        seed: Of a synthetic slate; None otherwise.
        projections: The projections file; None of a synthetic slate.
        player_ids: The player ids file; None of a synthetic slate.
    """

    source: str
    seed: int | None = None
    projections: Path | None = None
    player_ids: Path | None = None


def resolve(cfg: ContestConfig) -> Inputs:
    """The inputs of a configuration.

    Raises:
        UsageError: the slate's files are not there; it names those slates that are.
    """
    if cfg.projections is not None and cfg.player_ids is not None:
        return _files(Path(cfg.projections), Path(cfg.player_ids))
    match = _SYNTHETIC.fullmatch(cfg.slate)
    if match is not None:
        return Inputs(source=SYNTHETIC, seed=int(match[1]))
    root = Path(cfg.slates)
    folder = root / cfg.slate
    if not folder.is_dir():
        known = sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
        raise UsageError(
            f"there is no slate {cfg.slate!r}; known: {', '.join([*known, 'synthetic-<seed>'])}",
            where=str(folder),
            todo=f"put {PROJECTIONS_FILE} and {PLAYER_IDS_FILE} there, or write synthetic ones with "
            f"'python -m app.contest slate --slate {cfg.slate}'",
        )
    return _files(folder / PROJECTIONS_FILE, folder / PLAYER_IDS_FILE)


def load_slate(cfg: ContestConfig) -> Slate:
    """The slate of a configuration.

    Raises:
        UsageError: its files are not there, or one of them is at fault.
    """
    inputs = resolve(cfg)
    if inputs.projections is None or inputs.player_ids is None:
        texts = synthetic_slate(inputs.seed or 0)
        names = (f"{cfg.slate}/{PROJECTIONS_FILE}", f"{cfg.slate}/{PLAYER_IDS_FILE}")
        return read_slate(cfg.slate, texts.projections, texts.player_ids, where=names)
    where = (str(inputs.projections), str(inputs.player_ids))
    return read_slate(cfg.slate, _text(inputs.projections), _text(inputs.player_ids), where=where)


def input_hashes(cfg: ContestConfig) -> dict[str, str]:
    """SHA-256 of each input: of the files, or of the texts that are generated in their place."""
    inputs = resolve(cfg)
    if inputs.projections is None or inputs.player_ids is None:
        texts = synthetic_slate(inputs.seed or 0)
        parts = {"projections": texts.projections.encode(), "player_ids": texts.player_ids.encode()}
    else:
        parts = {"projections": inputs.projections.read_bytes(), "player_ids": inputs.player_ids.read_bytes()}
    if cfg.contests is not None:
        parts["contests"] = Path(cfg.contests).read_bytes()
    return {name: hashlib.sha256(part).hexdigest() for name, part in parts.items()}


def file_patterns(cfg: ContestConfig) -> tuple[str, ...]:
    """The input files as patterns of a stage, which takes braces for placeholders and stars for many."""
    inputs = resolve(cfg)
    paths = [path for path in (inputs.projections, inputs.player_ids) if path is not None]
    return tuple(as_pattern(path) for path in paths)


def as_pattern(path: Path) -> str:
    """A pattern of a stage that stands for this file alone."""
    return glob.escape(str(path)).replace("{", "{{").replace("}", "}}")


def _files(projections: Path, player_ids: Path) -> Inputs:
    for path in (projections, player_ids):
        if not path.is_file():
            raise UsageError("there is no such file", where=str(path), todo="put it there, or name another")
    return Inputs(source=FILES, projections=projections, player_ids=player_ids)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"it cannot be read as text: {error}", where=str(path), todo="save it as UTF-8") from error
