from __future__ import annotations

import json
import logging
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from app.workloads.dispatch import DispatchConfig, run
from app.workloads.dispatch.config import POLICIES
from app.workloads.dispatch.generate import main as generate
from runyard import UsageError
from runyard.testing import active_run

Write = Callable[..., Path]


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    path = folder / "tables" / f"{table}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def fixture_config(fixture_csv: Path) -> DispatchConfig:
    return DispatchConfig(jobs_csv=str(fixture_csv), shadow="pb", dispatch="greedy+", with_opt=True)


@pytest.fixture(scope="module")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("data")
    generate(["--days", "3", "--out", str(folder), "--jobs", "120"])
    return str(folder / "meituan_city_lunchtime_plat10301330_day{day}.csv")


def test_the_metrics_of_the_fixture_are_the_golden_ones(tmp_path: Path, fixture_config: DispatchConfig) -> None:
    with active_run(tmp_path):
        metrics = run(fixture_config)
    assert metrics.pop("simulate_s") >= 0
    pairs = metrics["pairs"]
    assert metrics == {
        "savings": pytest.approx(2.819261, abs=1e-6),
        "pairs": pairs,
        "solos": 12 - 2 * pairs,
        "pooled_pct": pytest.approx(200 * pairs / 12),
        "lp": pytest.approx(2.878497, abs=1e-6),
        "ratio_lp": pytest.approx(2.819261 / 2.878497, abs=1e-6),
        "lp_gap": pytest.approx(2.878497 - 2.819261, abs=1e-6),
        "opt": pytest.approx(2.878497, abs=1e-6),
        "ratio_opt": pytest.approx(2.819261 / 2.878497, abs=1e-6),
        "opt_gap": pytest.approx(2.878497 - 2.819261, abs=1e-6),
        "jobs": 12,
        "skipped_rows": 0,
    }


def test_a_row_tells_each_matched_pair(tmp_path: Path, fixture_config: DispatchConfig) -> None:
    with active_run(tmp_path):
        metrics = run(fixture_config)
    found = rows(tmp_path, "matches")
    assert len(found) == metrics["pairs"]
    assert sum(row["reward"] for row in found) == pytest.approx(metrics["savings"])
    assert found[0] == {"i": 0, "j": 1, "time_s": 20.0, "reward": pytest.approx(0.779846, abs=1e-6)}


def test_the_bound_is_computed_once_per_content_and_window(tmp_path: Path, fixture_config: DispatchConfig) -> None:
    with active_run(tmp_path):
        for gamma in (0.5, 1.0):
            for d in (10.0, 20.0):
                run(replace(fixture_config, gamma=gamma, d=d, shadow="hd"))
    found = rows(tmp_path, "lp")
    assert [(row["d"], row["n_jobs"]) for row in found] == [(10.0, 12), (20.0, 12)]
    assert [row["lp"] for row in found] == pytest.approx([0.987159, 2.878497], abs=1e-6)
    assert set(found[0]) == {"day", "d", "lp", "n_jobs", "n_edges", "seconds"}


def test_a_changed_file_is_computed_anew(tmp_path: Path, fixture_csv: Path, fixture_config: DispatchConfig) -> None:
    copy = tmp_path / "copy.csv"
    copy.write_bytes(fixture_csv.read_bytes())
    cfg = replace(fixture_config, jobs_csv=str(copy))
    with active_run(tmp_path):
        run(cfg)
        run(fixture_config)  # another path, the same bytes
        copy.write_bytes(fixture_csv.read_bytes().replace(b"0.9", b"0.8"))
        run(cfg)
    assert len(list(tmp_path.glob("shared/stages/lp_day0/*/entry.json"))) == 2


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("shadow", ["naive", "pb", "hd", "ad"])
def test_every_policy_and_shadow_gives_finite_metrics(
    tmp_path: Path, three_days: str, policy: str, shadow: str
) -> None:
    with active_run(tmp_path):
        metrics = run(DispatchConfig(day=1, jobs_template=three_days, shadow=shadow, dispatch=policy, d=30))
    assert all(math.isfinite(value) for value in metrics.values())
    assert metrics["jobs"] == 120
    assert 0 <= metrics["ratio_lp"] <= 1


def test_historical_shadows_come_from_the_other_days_only(tmp_path: Path, three_days: str) -> None:
    with active_run(tmp_path):
        run(DispatchConfig(day=1, jobs_template=three_days, shadow="ad"))
    assert [row["day"] for row in rows(tmp_path, "lp")] == [1, 0, 2]
    with active_run(tmp_path / "named"):
        run(DispatchConfig(day=9, jobs_csv=three_days.format(day=2), jobs_template=three_days, shadow="ad"))
    assert [row["day"] for row in rows(tmp_path / "named", "lp")] == [9, 0, 1]


def test_without_other_days_historical_shadows_are_refused(tmp_path: Path, fixture_csv: Path) -> None:
    (tmp_path / "day0.csv").write_bytes(fixture_csv.read_bytes())
    cfg = DispatchConfig(jobs_template=str(tmp_path / "day{day}.csv"), shadow="ad")
    with active_run(tmp_path), pytest.raises(UsageError) as caught:
        run(cfg)
    assert "needs the files of other days" in caught.value.what
    assert "generate" in caught.value.todo


def test_a_ratio_to_a_bound_of_zero_is_left_out_and_the_log_says_why(
    tmp_path: Path, write_csv: Write, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_csv(["2022-10-17T10:30:00Z,0,0,0,1", "2022-10-17T10:30:01Z,5,5,6,6"])
    with active_run(tmp_path), caplog.at_level(logging.WARNING):
        metrics = run(DispatchConfig(jobs_csv=str(path), with_opt=True))
    assert (metrics["lp"], metrics["lp_gap"], metrics["opt"], metrics["savings"]) == (0.0, 0.0, 0.0, 0.0)
    assert not {"ratio_lp", "ratio_opt"} & set(metrics)
    assert "ratio_lp is left out" in caplog.text


def test_skipped_rows_are_reported(tmp_path: Path, write_csv: Write) -> None:
    path = write_csv(["2022-10-17T10:30:00Z,0,0,0,1", "never,0,0,0,1"])
    with active_run(tmp_path):
        metrics = run(DispatchConfig(jobs_csv=str(path)))
    assert (metrics["jobs"], metrics["skipped_rows"]) == (1, 1)


def test_the_export_holds_pairs_and_shadows(tmp_path: Path, fixture_config: DispatchConfig) -> None:
    with active_run(tmp_path):
        metrics = run(replace(fixture_config, export_npz=True, gamma=0.5, tau=0.1))
    with np.load(tmp_path / "matches.npz") as exported:
        assert len(exported["i"]) == len(exported["j"]) == metrics["pairs"]
        assert exported["reward"].sum() == pytest.approx(metrics["savings"])
        assert exported["shadow"].shape == (12,)
        np.testing.assert_allclose(exported["effective_shadow"], 0.5 * exported["shadow"] + 0.1)


def test_it_takes_the_configuration_as_hydra_gives_it(tmp_path: Path, fixture_config: DispatchConfig) -> None:
    with active_run(tmp_path):
        composed = run(OmegaConf.structured(fixture_config))
        plain = run(fixture_config)
    assert composed["savings"] == plain["savings"]


def test_a_seed_changes_ties_by_lot_only(tmp_path: Path, write_csv: Write) -> None:
    lines = [f"2022-10-17T10:30:{k % 20:02d}Z,{k % 2},{k % 3},{k % 5},{k % 2}" for k in range(60)]
    path = write_csv(lines)

    def matches(seed: int, tie_breaker: str) -> list[dict[str, Any]]:
        folder = tmp_path / f"{tie_breaker}{seed}"
        with active_run(folder):
            run(DispatchConfig(jobs_csv=str(path), shadow="naive", seed=seed, tie_breaker=tie_breaker))
        return rows(folder, "matches")

    assert matches(0, "distance") == matches(1, "distance")
    assert matches(0, "random") != matches(1, "random")


def test_the_configuration_alone_loads_no_heavy_library() -> None:
    code = (
        "import sys, app.workloads.dispatch as w; w.DispatchConfig();"
        "print([m for m in ('pandas', 'scipy', 'clarabel', 'rustworkx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
