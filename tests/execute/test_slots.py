from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runyard.base import UsageError
from runyard.execute import Devices, Lease, Resources, Slots

MakeDevices = Callable[..., Devices]


@pytest.fixture
def devices(tmp_path: Path) -> MakeDevices:
    """Devices of a machine of the test's own."""
    numbers = itertools.count()
    return lambda *ids: Devices(ids, tmp_path / str(next(numbers)))


def _leases(slots: Slots, *wanted: Resources) -> list[Lease | None]:
    return [slots.lend(w) for w in wanted]


def test_no_more_jobs_than_there_is_room_for(devices: MakeDevices) -> None:
    slots = Slots(n_jobs=2, cpus=None, devices=devices())
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
def test_processors_are_counted(cpus: int | None, asked: list[int], granted: list[bool], devices: MakeDevices) -> None:
    slots = Slots(n_jobs=10, cpus=cpus, devices=devices())
    assert [lease is not None for lease in _leases(slots, *(Resources(cpus=n) for n in asked))] == granted


def test_a_device_is_lent_to_one_job_at_a_time(devices: MakeDevices) -> None:
    slots = Slots(n_jobs=10, cpus=None, devices=devices("0", "1", "GPU-c"))
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


def test_a_job_that_asks_for_no_device_keeps_its_environment(devices: MakeDevices) -> None:
    lease = Slots(n_jobs=1, cpus=None, devices=devices("0")).lend(Resources())
    assert lease
    assert lease.environment() == {}


@pytest.mark.parametrize(
    ("wanted", "what", "where"),
    [
        (Resources(cpus=5), "a job asks for 5 cpus and this machine offers 4", "hydra.launcher.resources.cpus"),
        (Resources(gpus=2), "a job asks for 2 gpus and this machine offers 1", "hydra.launcher.resources.gpus"),
    ],
)
def test_a_job_that_can_never_be_placed_is_refused_at_once(
    wanted: Resources, what: str, where: str, devices: MakeDevices
) -> None:
    with pytest.raises(UsageError) as caught:
        Slots(n_jobs=1, cpus=4, devices=devices("0")).check(wanted)
    assert (caught.value.what, caught.value.where) == (what, where)
    assert caught.value.todo


@pytest.mark.parametrize("wanted", [Resources(), Resources(cpus=4, gpus=1), Resources(mem_gb=1e6, nodes=9)])
def test_a_job_that_can_be_placed_passes(wanted: Resources, devices: MakeDevices) -> None:
    Slots(n_jobs=1, cpus=4, devices=devices("0")).check(wanted)
    Slots(n_jobs=1, cpus=None, devices=devices("0")).check(wanted)


WANTED = st.one_of(st.integers(0, 3), st.sampled_from([0.1, 0.25, 0.3, 0.5, 0.75]))


@given(st.lists(st.tuples(st.integers(1, 4), WANTED, st.booleans()), max_size=40))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_is_lent_twice_and_nothing_gets_lost(
    devices: MakeDevices, steps: list[tuple[int, float, bool]]
) -> None:
    slots = Slots(n_jobs=3, cpus=6, devices=devices("a", "b", "c"))
    held: list[Lease] = []
    for cpus, gpus, gives_back in steps:
        if gives_back and held:
            slots.give_back(held.pop(0))
        lease = slots.lend(Resources(cpus=cpus, gpus=gpus))
        held += [lease] if lease else []
        assert len(held) <= 3
        assert sum(h.cpus for h in held) <= 6
        parts = [(device, part) for h in held for device, taken in h.parts.items() for part in taken]
        assert len(parts) == len(set(parts))
        if lease and gpus:
            assert len(lease.gpus) == max(1, int(gpus))
            assert sum(len(taken) for taken in lease.parts.values()) == round(gpus * 100)
    for lease in held:
        slots.give_back(lease)
    whole = slots.lend(Resources(cpus=6, gpus=3))
    assert whole
    assert set(whole.gpus) == {"a", "b", "c"}


def test_half_a_device_is_lent_twice_and_the_one_in_use_is_filled_first(devices: MakeDevices) -> None:
    slots = Slots(n_jobs=10, cpus=None, devices=devices("0", "1"))
    leases = _leases(slots, *[Resources(gpus=0.5)] * 5)
    assert [lease.gpus if lease else None for lease in leases] == [("0",), ("0",), ("1",), ("1",), None]


@pytest.mark.parametrize("gpus", [1.5, -1, 2.25])
def test_a_part_of_several_devices_cannot_be_asked_for(gpus: float) -> None:
    with pytest.raises(UsageError) as caught:
        Resources(gpus=gpus)
    assert caught.value.where == "hydra.launcher.resources.gpus"


def _in_another_process(function: Callable[[], bool]) -> bool:
    """What a function gives in a process of its own."""
    pid = os.fork()
    if pid == 0:
        os._exit(0 if function() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_another_process_cannot_have_a_device_that_is_lent_here(tmp_path: Path) -> None:
    def is_free(gpus: float) -> bool:
        def ask() -> bool:
            there = Slots(n_jobs=1, cpus=None, devices=Devices(("0",), tmp_path))
            return there.lend(Resources(gpus=gpus)) is not None

        return _in_another_process(ask)

    here = Slots(n_jobs=4, cpus=None, devices=Devices(("0",), tmp_path))
    assert is_free(1)  # and the lease of that process ended with it
    half = here.lend(Resources(gpus=0.5))
    assert half
    assert not is_free(1)
    assert is_free(0.5)
    other_half = here.lend(Resources(gpus=0.5))
    assert other_half
    assert not is_free(0.5)
    here.give_back(half)
    assert is_free(0.5)
    here.give_back(other_half)
    assert is_free(1)


def test_a_folder_that_cannot_be_made_is_said_and_the_devices_are_lent_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    slots = Slots(n_jobs=2, cpus=None, devices=Devices(("0", "1"), tmp_path / "file" / "folder"))
    assert slots.lend(Resources(gpus=2))
    said = capsys.readouterr().err
    assert said.count("RUNYARD_DEVICES_DIR=DIR") == 1
    assert "another sweep on this machine may use the same ones" in said


@pytest.mark.parametrize(
    ("environment", "threads"),
    [({}, "2"), ({"MKL_NUM_THREADS": "7"}, None), ({"OMP_NUM_THREADS": "1"}, None)],
)
def test_jobs_are_told_to_start_no_more_threads_than_they_have_processors_unless_the_user_has(
    environment: dict[str, str], threads: str | None
) -> None:
    slots = Slots.of_machine(n_jobs=1, cpus=4, counts_cpus=True, gpus=0, environment=environment)
    lease = slots.lend(Resources(cpus=2))
    assert lease
    assert lease.environment().get("OMP_NUM_THREADS") == threads


@pytest.mark.parametrize(
    ("n_jobs", "environment", "threads"),
    [(2, {}, "2"), (8, {}, "1"), (1, {}, None), (2, {"MKL_NUM_THREADS": "3"}, None)],
)
def test_jobs_side_by_side_that_do_not_say_what_they_need_share_the_processors(
    n_jobs: int, environment: dict[str, str], threads: str | None
) -> None:
    slots = Slots.of_machine(n_jobs=n_jobs, cpus=4, counts_cpus=False, gpus=0, environment=environment)
    lease = slots.lend(Resources())
    assert lease
    assert lease.environment().get("OMP_NUM_THREADS") == threads


def test_on_a_machine_of_amds_its_variable_is_set_too(devices: MakeDevices) -> None:
    lease = Slots(n_jobs=1, cpus=None, devices=devices("0"), is_amd=True).lend(Resources(gpus=1))
    assert lease
    assert lease.environment() == {"CUDA_VISIBLE_DEVICES": "0", "HIP_VISIBLE_DEVICES": "0"}
