from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runyard.base import UsageError
from runyard.execute import Lease, Resources, Slots


def _leases(slots: Slots, *wanted: Resources) -> list[Lease | None]:
    return [slots.lend(w) for w in wanted]


def test_no_more_jobs_than_there_is_room_for() -> None:
    slots = Slots(n_jobs=2, cpus=None, gpus=())
    first, second, third = _leases(slots, *[Resources()] * 3)
    assert first
    assert second
    assert third is None
    slots.give_back(first)
    assert slots.lend(Resources())


@pytest.mark.parametrize(
    ("cpus", "asked", "granted"),
    [
        (4, [2, 2, 1], [True, True, False]),
        (4, [3, 2, 1], [True, False, True]),
        (4, [4, 1], [True, False]),
        (None, [100, 100], [True, True]),
    ],
)
def test_processors_are_counted(cpus: int | None, asked: list[int], granted: list[bool]) -> None:
    slots = Slots(n_jobs=10, cpus=cpus, gpus=())
    assert [lease is not None for lease in _leases(slots, *(Resources(cpus=n) for n in asked))] == granted


def test_a_device_is_lent_to_one_job_at_a_time() -> None:
    slots = Slots(n_jobs=10, cpus=None, gpus=("0", "1", "GPU-c"))
    one, two, none = _leases(slots, Resources(gpus=1), Resources(gpus=2), Resources(gpus=1))
    assert one
    assert two
    assert none is None
    assert (one.gpus, two.gpus) == (("0",), ("1", "GPU-c"))
    assert two.environment() == {"CUDA_VISIBLE_DEVICES": "1,GPU-c"}
    slots.give_back(two)
    again = slots.lend(Resources(gpus=2))
    assert again
    assert again.gpus == ("1", "GPU-c")


def test_a_job_that_asks_for_no_device_keeps_its_environment() -> None:
    lease = Slots(n_jobs=1, cpus=None, gpus=("0",)).lend(Resources())
    assert lease
    assert lease.environment() == {}


@pytest.mark.parametrize(
    ("wanted", "what", "where"),
    [
        (Resources(cpus=5), "a job asks for 5 cpus and this machine offers 4", "hydra.launcher.resources.cpus"),
        (Resources(gpus=2), "a job asks for 2 gpus and this machine offers 1", "hydra.launcher.resources.gpus"),
    ],
)
def test_a_job_that_can_never_be_placed_is_refused_at_once(wanted: Resources, what: str, where: str) -> None:
    with pytest.raises(UsageError) as caught:
        Slots(n_jobs=1, cpus=4, gpus=("0",)).check(wanted)
    assert (caught.value.what, caught.value.where) == (what, where)
    assert caught.value.todo


@pytest.mark.parametrize("wanted", [Resources(), Resources(cpus=4, gpus=1), Resources(mem_gb=1e6, nodes=9)])
def test_a_job_that_can_be_placed_passes(wanted: Resources) -> None:
    Slots(n_jobs=1, cpus=4, gpus=("0",)).check(wanted)
    Slots(n_jobs=1, cpus=None, gpus=("0",)).check(wanted)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3), st.booleans()), max_size=40))
@settings(max_examples=100, deadline=None)
def test_nothing_is_lent_twice_and_nothing_gets_lost(steps: list[tuple[int, int, bool]]) -> None:
    slots = Slots(n_jobs=3, cpus=6, gpus=("a", "b", "c"))
    held: list[Lease] = []
    for cpus, gpus, gives_back in steps:
        if gives_back and held:
            slots.give_back(held.pop(0))
        lease = slots.lend(Resources(cpus=cpus, gpus=gpus))
        fits = len(held) < 3 and sum(h.cpus for h in held) + cpus <= 6 and sum(len(h.gpus) for h in held) + gpus <= 3
        assert (lease is not None) is fits
        held += [lease] if lease else []
        lent = [gpu for h in held for gpu in h.gpus]
        assert len(lent) == len(set(lent))
    for lease in held:
        slots.give_back(lease)
    whole = slots.lend(Resources(cpus=6, gpus=3))
    assert whole
    assert set(whole.gpus) == {"a", "b", "c"}
