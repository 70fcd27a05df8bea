from __future__ import annotations

from pathlib import Path

import pytest

from runyard.base import UsageError
from runyard.cli.options import find_target, reference_to
from runyard.record import read_sweep
from runyard.registry import DEFAULT_ROOTS, add_to_index, root_of

from .conftest import MakeSweep

ID = "20260131T120000Z-abc1234"


@pytest.mark.parametrize(
    ("reference", "job"),
    [
        ("latest", None),
        (ID, None),
        (f"{ID}/2", 2),
        ("2", 2),
        ("20260131", None),
        ("mnist/20260131", None),
        ("mnist/latest", None),
        ("mnist/latest/0", 0),
        (f"multirun/mnist/{ID}", None),
        (f"multirun/mnist/{ID}/", None),
        (f"multirun/mnist/{ID}/1", 1),
        (f"multirun/mnist/{ID}/1/run.json", 1),
        (f"multirun/mnist/{ID}/7", 7),
    ],
)
def test_a_target_is_a_sweep_and_may_be_a_job(reference: str, job: int | None, make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep()
    assert find_target(reference, DEFAULT_ROOTS) == (sweep_dir, job)


def test_a_sweep_in_a_directory_named_by_a_number_is_no_job(make_sweep: MakeSweep, project: Path) -> None:
    numbered = make_sweep("s", directory=project / "multirun" / "job" / "12", experiment="another")
    make_sweep(created_at="2027-01-01T00:00:00.000Z")
    assert find_target("multirun/job/12", DEFAULT_ROOTS) == (numbered, None)
    assert find_target("job/12", DEFAULT_ROOTS) == (numbered, None)


def test_a_run_with_a_name_of_its_own_is_found_by_its_path(make_sweep: MakeSweep) -> None:
    sweep_dir = make_sweep()
    (sweep_dir / "by-name").mkdir()
    (sweep_dir / "2").rename(sweep_dir / "by-name" / "lr=0.2")
    assert find_target(str(sweep_dir / "by-name" / "lr=0.2"), DEFAULT_ROOTS) == (sweep_dir, 2)


@pytest.mark.parametrize("reference", ["nope", "nope/3", "mnist/3", "multirun/3"])
def test_what_is_not_there_is_a_usage_error(reference: str, make_sweep: MakeSweep) -> None:
    make_sweep()
    with pytest.raises(UsageError):
        find_target(reference, DEFAULT_ROOTS)


def test_a_sweep_belongs_to_the_root_that_it_lies_in_or_that_names_it(make_sweep: MakeSweep, project: Path) -> None:
    inside = make_sweep()
    outside = make_sweep("far", directory=project / "kept" / "x")
    roots = [project / "outputs", project / "multirun"]
    assert root_of(inside, roots) == project / "multirun"
    assert root_of(outside, roots) is None
    add_to_index(project / "outputs", read_sweep(outside), outside)
    assert root_of(outside, roots) == project / "outputs"
    assert reference_to("far", outside, DEFAULT_ROOTS) == "far"
    assert reference_to(ID, inside, roots) == f"multirun/mnist/{ID}"
