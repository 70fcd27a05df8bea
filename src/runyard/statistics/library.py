"""Says what to install when a library that statistics need is not there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from runyard.base import UsageError


@contextlib.contextmanager
def needed() -> Iterator[None]:
    """Around the import of an optional library.

    Raises:
        UsageError: it is not installed.
    """
    try:
        yield
    except ImportError as error:
        raise UsageError(
            f"statistics need a library that is not installed ({error})", todo="pip install 'runyard[analysis]'"
        ) from error
