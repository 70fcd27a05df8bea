from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.workloads.burgers import BurgersConfig, validate
from runyard import UsageError


def test_the_defaults_make_sense() -> None:
    validate(BurgersConfig())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", -1),
        ("data_seed", 1.5),
        ("trajectories", 8),
        ("nx", 100),
        ("solver_nx", 200),
        ("step", 3),
        ("copies", 3),
        ("encoder", "pdo"),
        ("operator", "rigde"),
        ("latent_dim", 65),
        ("degree", 4),
        ("learning_rate", 0),
        ("gate_ratio", "x"),
        ("gate_metrics", []),
        ("gate_metrics", ["nrmse"]),
        ("nrmse_threshold", -0.1),
    ],
)
def test_a_wrong_value_is_refused_by_its_key_with_what_to_do(key: str, value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        validate(replace(BurgersConfig(), **{key: value}))
    assert f"burgers.{key}" in str(caught.value) and "to do:" in str(caught.value)
