from __future__ import annotations

from typing import Any

import pytest

from runyard.base import UsageError
from runyard.execute import SLURM_KEYS, SlurmOptions, slurm_options


def test_nothing_given_is_the_default() -> None:
    assert slurm_options({}) == SlurmOptions()
    assert slurm_options(dict.fromkeys(SLURM_KEYS)) == SlurmOptions()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"partition": "gpu", "mem_gb": 8}, {"partition": "gpu", "mem_gb": 8.0}),
        ({"partition": ["a", "b"]}, {"partition": "a,b"}),
        ({"gpus_per_node": "a100:2"}, {"gpus_per_node": "a100:2"}),
        ({"setup": ["module load cuda"]}, {"setup": ("module load cuda",)}),
        ({"srun_args": "--label -v"}, {"srun_args": ("--label", "-v")}),
        ({"mail_type": "END", "nice": 100}, {"additional_parameters": {"mail_type": "END", "nice": 100}}),
        ({"additional_parameters": {"mail-type": "END"}}, {"additional_parameters": {"mail_type": "END"}}),
    ],
)
def test_keys_are_read(given: dict[str, Any], expected: dict[str, Any]) -> None:
    options = slurm_options(given)
    assert {key: getattr(options, key) for key in expected} == expected


@pytest.mark.parametrize(("minutes", "seconds"), [(60, 120), (480, 120), (0, 120)])
def test_the_warning_comes_early_enough_and_not_at_once(minutes: float, seconds: int) -> None:
    assert slurm_options({"timeout_min": minutes}).signal_delay_s == seconds


def test_of_a_short_allocation_the_warning_leaves_most() -> None:
    assert 0 < slurm_options({"timeout_min": 2}).signal_delay_s <= 60


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"partitoin": "gpu"}, "partition"),
        ({"cpu_per_task": 2}, "cpus_per_task"),
        ({"time": 10}, "timeout_min"),
        ({"array": "0-3"}, "workers"),
        ({"signal": "USR1@10"}, "signal_delay_s"),
        ({"requeue": True}, "max_requeues"),
        ({"output": "x"}, "logs"),
        ({"nodes": 0}, "at least 1"),
        ({"nodes": "two"}, "whole number"),
        ({"mem_gb": -1}, "at least 0"),
        ({"mem_gb": float("nan")}, "at least 0"),
        ({"mem_gb": 1, "mem_per_cpu": "1G"}, "exclude each other"),
        ({"timeout_min": 1, "signal_delay_s": 90}, "signal_delay_s"),
        ({"additional_parameters": "mail"}, "mapping"),
        ({"comment": "two\nlines"}, "one line"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(given: dict[str, Any], word: str) -> None:
    with pytest.raises(UsageError) as caught:
        slurm_options(given)
    assert "hydra.launcher" in str(caught.value)
    assert word in str(caught.value)
