"""Says what to install when the library of a tracker is not there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from runyard.base import UsageError


@contextlib.contextmanager
def needed(extra: str) -> Iterator[None]:
    """Around the import of a tracker's library; ``extra`` is the extra of this package that brings it.

    Raises:
        UsageError: it is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise UsageError(
            f"this export needs a library that is not installed ({error})", todo=f"pip install 'runyard[{extra}]'"
        ) from error
