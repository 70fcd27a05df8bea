"""The ``runyard`` command: parses, calls one function, formats. Decides nothing."""

from runyard.cli.entry import main

__all__ = ["main"]
