from __future__ import annotations

import sys

import pytest

from runyard.base import UsageError
from runyard.statistics import describe, holm


def test_a_library_that_is_not_installed_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    monkeypatch.setitem(sys.modules, "statsmodels.stats.multitest", None)

    for wants_it in (lambda: describe([1.0, 2.0], level=0.123), lambda: holm([0.1])):
        with pytest.raises(UsageError, match=r"pip install 'runyard\[analysis\]'"):
            wants_it()
