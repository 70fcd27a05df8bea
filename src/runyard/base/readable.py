"""What programs print for a terminal, as text for a page."""

from __future__ import annotations

import re

#: sequences of ECMA-48: with parameters (colours, moves), with a text (titles, links), of two characters.
_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[@-Z\\^_])")


def readable(text: str) -> str:
    """A text without what only a terminal understands: colours, titles, and what was written over.

    Of a line that was written several times (``\\r``, as progress bars do) the last writing stands.
    """
    plain = _SEQUENCE.sub("", text).replace("\r\n", "\n")
    if "\r" not in plain:
        return plain
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in plain.split("\n"))
