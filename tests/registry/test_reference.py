from __future__ import annotations

from pathlib import Path

import pytest

from runyard.base import UsageError
from runyard.registry import Registry, find_sweep

from .conftest import MakeSweep


@pytest.fixture
def sweeps(root: Path, make_sweep: MakeSweep, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.chdir(root.parent)
    made = {
        "20260101T000000Z-aaa": ("mnist", "2026-01-01T00:00:00.000Z"),
        "20260102T000000Z-bbb": ("mnist", "2026-01-02T00:00:00.000Z"),
        "20260103T000000Z-ccc": ("cifar", "2026-01-03T00:00:00.000Z"),
    }
    found = {i: make_sweep(i, experiment=e, created_at=t) for i, (e, t) in made.items()}
    (root / "mnist" / "latest").symlink_to("20260102T000000Z-bbb")
    return found


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("20260101T000000Z-aaa", "20260101T000000Z-aaa"),
        ("20260102", "20260102T000000Z-bbb"),
        ("mnist/20260101", "20260101T000000Z-aaa"),
        ("latest", "20260103T000000Z-ccc"),
        ("latest:mnist", "20260102T000000Z-bbb"),
        ("mnist/latest", "20260102T000000Z-bbb"),
        ("multirun/mnist/20260101T000000Z-aaa", "20260101T000000Z-aaa"),
        ("multirun/mnist/20260101T000000Z-aaa/", "20260101T000000Z-aaa"),
        ("./multirun/mnist/20260101T000000Z-aaa/sweep.json", "20260101T000000Z-aaa"),
        ("multirun/mnist/latest", "20260102T000000Z-bbb"),
    ],
)
def test_a_sweep_is_found_by(reference: str, found: str, indexed: bool, sweeps: dict[str, Path], root: Path) -> None:
    if indexed:
        Registry(root).reindex()
    assert find_sweep(reference, [root]) == sweeps[found]


def test_hydras_own_directories_are_known_by_their_names(root: Path, make_sweep: MakeSweep) -> None:
    day, other = root / "2026-01-31", root / "2026-02-01"
    first, second = make_sweep("a", directory=day / "12-00-00"), make_sweep("b", directory=other / "12-00-00")
    assert find_sweep("2026-01-31/12-00-00", [root]) == first
    assert find_sweep("2026-02-01/12", [root]) == second
    with pytest.raises(UsageError, match="2 sweeps begin so"):
        find_sweep("12", [root])
    with pytest.raises(UsageError, match="no sweep 'mnist'"):
        find_sweep("mnist", [root])


def test_a_whole_id_wins_over_longer_ones(root: Path, make_sweep: MakeSweep) -> None:
    short = make_sweep("20260101T000000Z-aaa")
    make_sweep("20260101T000000Z-aaa-label")
    assert find_sweep("20260101T000000Z-aaa", [root]) == short


def test_latest_is_looked_for_in_all_roots(sweeps: dict[str, Path], root: Path, make_sweep: MakeSweep) -> None:
    outputs = root.parent / "outputs"
    single = make_sweep("x", directory=outputs / "mnist" / "x", single=True, created_at="2026-02-01T00:00:00.000Z")
    roots = [root, outputs, root.parent / "missing"]
    assert find_sweep("latest", roots) == single
    assert find_sweep("latest", roots, multirun_only=True) == sweeps["20260103T000000Z-ccc"]
    with pytest.raises(UsageError, match="only single runs"):
        find_sweep("latest", [outputs], multirun_only=True)


def test_a_text_file_can_be_the_pointer(sweeps: dict[str, Path], root: Path) -> None:
    (root / "mnist" / "latest").unlink()
    (root / "mnist" / "latest").write_text("20260101T000000Z-aaa\n")
    assert find_sweep("multirun/mnist/latest", [root]) == sweeps["20260101T000000Z-aaa"]


def test_a_prefix_of_many_lists_them(sweeps: dict[str, Path], root: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find_sweep("202601", [root])
    assert str(caught.value).splitlines() == [
        "'202601' is not clear: 3 sweeps begin so",
        "  to do: give more of the id:",
        "    20260103T000000Z-ccc  (cifar)",
        "    20260102T000000Z-bbb  (mnist)",
        "    20260101T000000Z-aaa  (mnist)",
    ]


def test_copies_of_a_sweep_are_told_apart_by_their_paths(root: Path, make_sweep: MakeSweep) -> None:
    make_sweep("one")
    copy = make_sweep("one", directory=root / "mnist" / "one-copy")
    with pytest.raises(UsageError, match="copies of one sweep") as caught:
        find_sweep("one", [root])
    assert str(copy) in caught.value.todo
    assert find_sweep("one-copy", [root]) == copy


def test_an_unknown_name_is_answered_with_the_closest(sweeps: dict[str, Path], root: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find_sweep("20260101T000000Z-aab", [root])
    assert caught.value.what == "no sweep '20260101T000000Z-aab'"
    assert "did you mean 20260101T000000Z-aaa" in caught.value.todo
    assert "runyard ls" in caught.value.todo


def test_an_unknown_experiment_is_answered_with_the_known(sweeps: dict[str, Path], root: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find_sweep("latest:mnits", [root])
    assert caught.value.todo == "did you mean 'mnist'? Known: cifar, mnist"


def test_a_directory_that_is_no_sweep_is_said_to_be_none(sweeps: dict[str, Path], root: Path) -> None:
    with pytest.raises(UsageError, match="exists but is not the directory of a sweep"):
        find_sweep("multirun/mnist", [root])


def test_where_there_is_nothing_the_way_to_begin_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no sweep yet(.|\n)*below (.|\n)*\+runyard=local"):
        find_sweep("latest", [tmp_path / "multirun"])
