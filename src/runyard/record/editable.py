"""Editable installs that find packages by a table, and not by a path: points their tables to frozen code.

Setuptools makes such a module for each of them, ``__editable___<name>_<version>_finder``. Its finder in
``sys.meta_path`` reads the module's ``MAPPING`` (name of a package to its place) at every import.
"""

from __future__ import annotations

import os
import sys

from runyard.record.freeze import FrozenCode

_PREFIX = "__editable__"


def move_editable_finders(frozen: FrozenCode) -> None:
    """Points the tables of this process's editable installs to the frozen copy, where they lead into its root.

    For a process that has not imported the application yet: what is imported stays what it is.
    """
    for name, module in list(sys.modules.items()):
        if name.startswith(_PREFIX):
            mapping, spaces = getattr(module, "MAPPING", None), getattr(module, "NAMESPACES", None)
            if isinstance(mapping, dict):
                mapping.update({package: _moved(frozen, place) for package, place in mapping.items()})
            if isinstance(spaces, dict):
                spaces.update(
                    {package: [frozen.moved(place) for place in places] for package, places in spaces.items()}
                )


def _moved(frozen: FrozenCode, place: str) -> str:
    """The place of a package, or of a module, whose suffix the table leaves out."""
    moved = frozen.moved(place)
    if moved != place:
        return moved
    module = frozen.moved(f"{place}.py")
    return os.path.splitext(module)[0] if module != f"{place}.py" else place
