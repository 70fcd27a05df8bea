"""The code of a stage: a module and those of the same package that it imports; nothing is run."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from pathlib import Path


def code_hash(module_name: str) -> str:
    """A hash of the source of a module, which is imported, and of all modules of its top-level package that it imports.

    Imports inside functions count; other packages do not.
    """
    module = sys.modules[module_name]
    spec = getattr(module, "__spec__", None)
    name = spec.name if spec is not None else module.__name__
    found: dict[str, bytes] = {}
    _gather(name, getattr(module, "__file__", None), name.partition(".")[0], found)
    parts = [(n, hashlib.sha256(text).hexdigest()) for n, text in sorted(found.items())]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _gather(name: str, file: str | None, top: str, found: dict[str, bytes]) -> None:
    if file is None or not file.endswith(".py") or name in found:
        return
    path = Path(file)
    found[name] = path.read_bytes()
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for imported in sorted(_imports(found[name], package)):
        if imported.partition(".")[0] == top and imported not in found:
            _gather(imported, _file_of(imported), top, found)


def _imports(text: bytes, package: str) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parts, *([node.module] if node.module else [])])
            names |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return names


def _file_of(name: str) -> str | None:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # a name that is no module, such as a function's
        return None
    return spec.origin if spec is not None else None
