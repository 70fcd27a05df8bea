"""A figure to reach, and what was reached."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """``what`` is measured, ``wanted`` says in words what is to be reached, ``reached`` what was."""

    what: str
    wanted: str
    reached: str
    is_met: bool
