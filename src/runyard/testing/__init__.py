"""Shipped helpers for tests of tasks."""

from runyard.testing.active import active_run

__all__ = ["active_run"]
