from __future__ import annotations

import pytest

from runyard.base import UsageError, canonical_json, function_of


def test_a_dotted_name_is_its_function() -> None:
    assert function_of("runyard.base.canonical_json", where="here", todo="nothing") is canonical_json


@pytest.mark.parametrize(
    ("dotted", "said"),
    [
        ("nowhere.fn", "cannot be imported"),
        ("runyard.base.nothing", "cannot be imported"),
        ("plain", "cannot be imported"),
        ("", "cannot be imported"),
        ("runyard.base.TERMINAL", "is no function"),
    ],
)
def test_one_that_is_none_is_refused_with_where_it_stands(dotted: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        function_of(dotted, where="the key", todo="give a function")
    assert (caught.value.where, caught.value.todo) == ("the key", "give a function")
