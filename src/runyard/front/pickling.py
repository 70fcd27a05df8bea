"""Pickles of functions and classes that no module has, by value."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

#: objects that a dataclass's fields are compared with by identity; a pickle would make others of them.
_MARKS = ("MISSING", "KW_ONLY", "_FIELD", "_FIELD_CLASSVAR", "_FIELD_INITVAR", "_HAS_DEFAULT_FACTORY")


def dumped(value: Any) -> bytes:
    """A pickle by cloudpickle in which dataclasses by value stay dataclasses.

    Raises:
        Exception: whatever the class of a value raises that cannot be pickled.
    """
    import cloudpickle

    marks = {id(getattr(dataclasses, name)): name for name in _MARKS}

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> Any:
            name = marks.get(id(obj))
            return super().reducer_override(obj) if name is None else (getattr, (dataclasses, name))

    with io.BytesIO() as file:
        Pickler(file).dump(value)
        return file.getvalue()
