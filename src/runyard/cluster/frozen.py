"""The frozen code of a sweep, and the command that starts a worker from it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from runyard.base import RecordError, UsageError, read_json, write_json
from runyard.record import Entry, FrozenCode, RootPaths, SweepPaths, freeze_code


def freeze_tree(sweep_dir: Path, entry: Entry, *, root: Path, most_mb: float) -> FrozenCode:
    """Freezes the application's code as it is now, once for a sweep.

    Raises:
        UsageError: it is larger than ``most_mb``.
        StorageError: the disk is full.
    """
    known = read_tree(sweep_dir)
    if known is not None:
        return known
    tree = freeze_code(
        Path(entry.cwd),
        RootPaths(root).code,
        program=entry.target,
        most_mb=most_mb,
        leave_out=[root, sweep_dir, Path(entry.cwd) / "multirun", Path(entry.cwd) / "outputs"],
    )
    write_json(SweepPaths(sweep_dir).frozen_code, tree.to_json(), sync=True)
    return tree


def read_tree(sweep_dir: Path) -> FrozenCode | None:
    """The frozen code of a sweep, which is all there; None where none was frozen.

    Raises:
        RecordError: what says where it lies is damaged.
        UsageError: some of it is gone: what is found instead would be other code.
    """
    path = SweepPaths(sweep_dir).frozen_code
    try:
        tree = FrozenCode.from_json(read_json(path))
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise RecordError(path, f"it does not say where the frozen code is ({exc})") from exc
    if lost := tree.missing():
        raise UsageError(
            f"of the frozen code {len(lost)} files are gone or were changed, such as {ascii(lost[0])[1:-1]}",
            where=str(tree.tree),
            todo="bring them back; or run the command again, for a sweep of the code as it is now",
        )
    return tree


def frozen_path(sweep_dir: Path, entries: Sequence[str]) -> list[str]:
    """Entries of ``sys.path``, with those of the frozen code moved where this process runs that code.

    Raises:
        RecordError, UsageError: as ``read_tree``.
    """
    tree = read_tree(sweep_dir)
    if tree is None or not any(Path(entry).is_relative_to(tree.tree) for entry in sys.path):
        return list(entries)
    return tree.sys_path(entries)


def frozen_command(
    entry: Entry, tree: FrozenCode | None, module: str, function: str, *, python: str | None = None
) -> tuple[str, ...]:
    """The command that calls a function in a new interpreter, which finds modules where this one does, but frozen.

    Args:
        entry: how the application was started.
        tree: the frozen code; None for the code as it is.
        module: where the function is.
        function: its name.
        python: another interpreter than the one that the application was started with.
    """
    path: Sequence[str] = [entry_ for entry_ in sys.path if isinstance(entry_, str)]
    lines = ["import sys"]
    if tree is not None:
        path = tree.sys_path(path, cwd=Path(entry.cwd))
        lines.append("from runyard.record import FrozenCode, move_editable_finders")
        lines.append(f"move_editable_finders(FrozenCode.from_json({tree.to_json()!r}))")
    lines.insert(1, f"sys.path[:] = {list(path)!r}")
    lines += [f"from {module} import {function}", f"{function}()"]
    return (python or entry.python, *entry.flags, "-c", "; ".join(lines))
