from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.workloads.dispatch.config import DispatchConfig
from app.workloads.dispatch.generate import BOX_DEG, CORNER_DEG, FILE_PATTERN, day_csv, main, make_city
from app.workloads.dispatch.jobs import Jobs, read_jobs


@pytest.fixture(scope="module")
def whole_day(tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    folder = tmp_path_factory.mktemp("day")
    assert main(["--days", "1", "--out", str(folder)]) == 0
    return read_jobs(folder / FILE_PATTERN.format(day=0), "platform_order_time")


def test_the_files_are_where_the_default_template_looks() -> None:
    assert DispatchConfig().jobs_template == f"data/{FILE_PATTERN}"


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        main(["--days", "2", "--out", str(tmp_path / name), "--minutes", "3", "--seed", "5"])
    for day in range(2):
        file = FILE_PATTERN.format(day=day)
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_days_and_seeds_differ_and_days_share_their_city() -> None:
    texts = {day_csv(seed=s, day=k, minutes=2, peak_per_s=4.0, jobs=None) for s in range(2) for k in range(2)}
    assert len(texts) == 4
    assert np.array_equal(make_city(1).centers, make_city(1).centers)
    assert not np.array_equal(make_city(1).centers, make_city(2).centers)


def test_a_day_has_the_specified_shape(whole_day: Jobs) -> None:
    seconds = whole_day.time_us / 1e6
    per_s, _ = np.histogram(seconds, bins=18, range=(0, 10800))
    assert whole_day.skipped_rows == 0
    assert seconds[-1] < 10800
    assert per_s[[0, -1]] / 600 == pytest.approx(0.5, abs=0.15)
    assert per_s.max() / 600 == pytest.approx(4.0, abs=0.3)
    assert whole_day.length.mean() == pytest.approx(3 * 0.006, rel=0.03)
    assert whole_day.length.var() == pytest.approx(3 * 0.006**2, rel=0.06)


def test_origins_lie_around_twelve_hot_spots_in_the_box(whole_day: Jobs) -> None:
    centers = make_city(0).centers
    assert len(centers) == 12
    assert (centers >= CORNER_DEG).all()
    assert (centers <= CORNER_DEG + BOX_DEG).all()
    nearest = np.linalg.norm(whole_day.origin[:, None] - centers, axis=2).min(axis=1)
    assert np.quantile(nearest, 0.99) < 4 * 0.006


def test_a_limit_keeps_the_first_orders() -> None:
    full, cut = (day_csv(seed=0, day=0, minutes=10, peak_per_s=4.0, jobs=n) for n in (None, 50))
    assert cut.count("\n") == 51
    assert full.startswith(cut)


def test_it_runs_as_a_module_and_tells_what_it_wrote(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "app.workloads.dispatch.generate", "--days", "1", "--jobs", "7"]
    done = subprocess.run([*command, "--out", str(tmp_path / "deep" / "data")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "deep" / "data" / FILE_PATTERN.format(day=0)
    assert done.stdout == f"{path}: 7 jobs\n"
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--days", "0"], "must be 1 or more"),
        (["--seed", "-1"], "must be 0 or more"),
        (["--rate", "0"], "must be above 0"),
        (["--minutes", "inf"], "must be above 0 and finite"),
        (["--jobs", "x"], "--jobs"),
        (["--days", "1", "--minutes", "0.02", "--rate", "0.001"], "has no orders"),
    ],
)
def test_wrong_usage_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*arguments, "--out", str(tmp_path)])
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
