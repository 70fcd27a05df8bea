"""The run as a whole: what it leaves, that it keeps to its contracts, and that it can be had again."""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pyarrow.parquet
import pytest
from tests.conftest import read_json

from app.workloads.contest.config import ContestConfig
from app.workloads.contest.contracts import SCHEMAS, ContractBroken, check, schema
from app.workloads.contest.inputs import load_slate, resolve
from app.workloads.contest.manifest import LAYOUT, artifact_hashes
from app.workloads.contest.rules import check_export
from app.workloads.contest.stages import stages_of
from app.workloads.contest.synthetic import synthetic_slate
from app.workloads.contest.task import run
from runyard import UsageError
from runyard.testing import active_run


def ran(cfg: ContestConfig, folder: Path) -> dict[str, Any]:
    folder.mkdir(parents=True)
    with active_run(folder):
        return run(cfg)


def rows(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
    return found


@pytest.fixture
def done(small: ContestConfig, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A run's directory and metrics."""
    return tmp_path / "run", ran(small, tmp_path / "run")


def test_orchestrator_smoke_the_layout_is_exactly_that_of_the_requirement(done: tuple[Path, dict[str, Any]]) -> None:
    folder, metrics = done
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    ours = {path for path in found if not path.startswith(("shared/", "tables/")) and not path.endswith("/stage.json")}
    assert ours == {
        "manifest.json",
        "diagnostics.json",
        "variants/catalog.parquet",
        "variants/summary.json",
        "optimizer/lineups.parquet",
        "optimizer/dk_export.csv",
        "optimizer/metrics.json",
        "field_sampler/entrants.parquet",
        "field_sampler/telemetry.json",
        "field_sampler/metrics.json",
        "sim/results.parquet",
        "sim/metrics.json",
        "export/summary.md",
        *(f"{stage}/logs.jsonl" for stage in LAYOUT),
    }
    assert {"roi_mean", "roi_p50", "dup_p95", "roi_se", "variants_count", "max_overlap"} <= set(metrics)
    assert all(math.isfinite(value) for value in metrics.values())


def test_orchestrator_every_artifact_keeps_to_its_schema(done: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = done
    for name in SCHEMAS:
        jsonschema.Draft202012Validator.check_schema(schema(name))
    tables = {
        "variants/catalog.parquet": schema("variant_catalog"),
        "optimizer/lineups.parquet": schema("optimizer_output"),
        "field_sampler/entrants.parquet": schema("field_sampler_output"),
        "sim/results.parquet": schema("sim_metrics", "results"),
    }
    for path, wanted in tables.items():
        jsonschema.validate(rows(folder / path), wanted)
    for path, wanted in {
        "variants/summary.json": schema("variant_catalog", "summary"),
        "optimizer/metrics.json": schema("optimizer_output", "metrics"),
        "field_sampler/telemetry.json": schema("field_sampler_output", "telemetry"),
        "field_sampler/metrics.json": schema("field_sampler_output", "metrics"),
        "sim/metrics.json": schema("sim_metrics"),
        "manifest.json": schema("run_manifest"),
        "diagnostics.json": schema("run_manifest", "diagnostics"),
    }.items():
        jsonschema.validate(read_json(folder / path), wanted)
    assert {
        output["schema"]["type"]
        for s in stages_of(ContestConfig())
        for output in s.outputs.values()
        if s.name != "export"
    }


def test_orchestrator_what_breaks_a_contract_is_named() -> None:
    with pytest.raises(
        ContractBroken, match="breaks the schema run_manifest, diagnostics: key 'sim': 1 is not of type"
    ):
        check(
            {"variants": {}, "optimizer": {}, "field_sampler": {}, "sim": 1, "export": {}},
            "run_manifest",
            "diagnostics",
        )


def test_orchestrator_logs_are_lines_of_json_and_the_manifest_tells_seeds_hashes_and_times(
    done: tuple[Path, dict[str, Any]], small: ContestConfig
) -> None:
    folder, metrics = done
    for stage in LAYOUT:
        events = [json.loads(line) for line in (folder / stage / "logs.jsonl").read_text().splitlines()]
        assert all(event["stage"] == stage and event["time"] for event in events)
    manifest = read_json(folder / "manifest.json")
    assert manifest["seeds"]["run"] == 0 and manifest["seeds"]["optimizer"] is None
    drawn = [manifest["seeds"][name] for name in ("variants", "field_sampler", "sim")]
    assert len(set(drawn)) == 3
    assert rows(folder / "variants" / "catalog.parquet")[0]["seed"] == drawn[0]
    texts = synthetic_slate(0)
    assert manifest["inputs"]["source"] == "synthetic"
    assert manifest["inputs"]["sha256"]["projections"] == hashlib.sha256(texts.projections.encode()).hexdigest()
    assert manifest["hashes"] == artifact_hashes(folder)
    assert all((folder / path).is_file() for name, path in manifest["paths"].items() if name != "root")
    assert set(manifest["timings"]) == set(LAYOUT)
    assert manifest["metrics_head"] == {name: metrics[name] for name in ("roi_mean", "roi_p50", "dup_p95")}
    diagnostics = read_json(folder / "diagnostics.json")
    assert diagnostics["optimizer"]["solver"] == "HiGHS" and diagnostics["sim"]["worlds"] == small.sim.worlds


def test_orchestrator_metrics_contract(done: tuple[Path, dict[str, Any]], small: ContestConfig) -> None:
    folder, metrics = done
    told, worlds = read_json(folder / "sim" / "metrics.json"), rows(folder / "sim" / "results.parquet")
    roi = np.array([row["roi"] for row in worlds])
    assert len(worlds) == small.sim.worlds and [row["world"] for row in worlds] == list(range(small.sim.worlds))
    assert told["roi"]["mean"] == metrics["roi_mean"] == pytest.approx(roi.mean())
    assert metrics["roi_se"] == pytest.approx(roi.std(ddof=1) / math.sqrt(len(roi))) and metrics["roi_se"] > 0
    assert sum(told["duplication"]["dup_bins"].values()) == pytest.approx(1)
    # the field as a whole gets back its fees without the rake, in every world
    assert [row["field_roi"] for row in worlds] == pytest.approx([told["prize_pool"] / (60 * 10) - 1] * len(worlds))
    assert told["field_roi"] == pytest.approx(-0.15)
    assert told["roi"]["mean"] == pytest.approx(np.mean([row["roi_mean"] for row in told["lineups"]]))
    entrants = rows(folder / "field_sampler" / "entrants.parquet")
    assert [row["origin"] for row in entrants] == ["ours"] * 3 + ["field"] * 57
    lineups = rows(folder / "optimizer" / "lineups.parquet")
    slots = ("PG", "SG", "SF", "PF", "C", "G", "F", "UTIL")
    assert [[row[s] for s in slots] for row in entrants[:3]] == [[row[s] for s in slots] for row in lineups]
    assert check_export(folder / "optimizer" / "dk_export.csv", load_slate(small)) == 3
    assert len((folder / "tables" / "lineups.jsonl").read_text().splitlines()) == 3


def test_orchestrator_determinism_the_same_seed_gives_the_same_bytes_and_another_one_others(
    done: tuple[Path, dict[str, Any]], small: ContestConfig, tmp_path: Path
) -> None:
    folder, metrics = done
    assert ran(small, tmp_path / "again") == metrics
    assert artifact_hashes(tmp_path / "again") == artifact_hashes(folder)
    other = copy.deepcopy(small)
    other.seed = 1
    ran(other, tmp_path / "other")
    same = {
        path for path, digest in artifact_hashes(tmp_path / "other").items() if artifact_hashes(folder)[path] == digest
    }
    assert same == set()


def test_orchestrator_the_summary_says_what_came_out(done: tuple[Path, dict[str, Any]]) -> None:
    folder, metrics = done
    text = (folder / "export" / "summary.md").read_text()
    assert text.startswith(
        "# DK_MME_20 on synthetic-0\n\nSeed 0. 70 players in 5 games; 60 entries at 10.00, 3 of them"
    )
    assert f"{100 * metrics['roi_mean']:+.1f} % ± {100 * metrics['roi_se']:.1f} % (standard error)" in text
    assert "player-pool variants" in text


def test_orchestrator_registry_resolution_of_a_slate(
    files: Callable[[str, str], tuple[Path, Path]], tmp_path: Path
) -> None:
    texts = synthetic_slate(4)
    paths = files(texts.projections, texts.player_ids)
    by_name = ContestConfig(slate="night", slates=str(tmp_path / "slates"))
    by_path = ContestConfig(slate="night", projections=str(paths[0]), player_ids=str(paths[1]))
    generated = ContestConfig(slate="synthetic-4")
    assert (resolve(by_name).projections, resolve(by_name).player_ids) == paths
    assert resolve(by_name) == resolve(by_path)
    assert resolve(generated).seed == 4 and resolve(generated).source == "synthetic"
    assert load_slate(by_name).ids == load_slate(by_path).ids == load_slate(generated).ids
    with pytest.raises(UsageError, match="there is no slate 'nigth'; known: night, synthetic-<seed>"):
        resolve(ContestConfig(slate="nigth", slates=str(tmp_path / "slates")))
    paths[1].unlink()
    with pytest.raises(UsageError, match="there is no such file"):
        resolve(by_name)


def test_orchestrator_a_slate_of_files_comes_out_as_the_generated_one_also_with_odd_names(
    files: Callable[[str, str], tuple[Path, Path]], small: ContestConfig, tmp_path: Path
) -> None:
    texts = synthetic_slate(0)
    paths = files(texts.projections, texts.player_ids)
    odd = tmp_path / "a [b] {c} *"
    paths[0].parent.rename(odd)
    small.projections, small.player_ids = str(odd / "projections.csv"), str(odd / "player_ids.csv")
    ran(small, tmp_path / "files")
    manifest = read_json(tmp_path / "files" / "manifest.json")
    assert manifest["inputs"]["source"] == "files"
    assert manifest["inputs"]["files"]["projections"] == str(odd / "projections.csv")
    small.projections = small.player_ids = None
    ran(small, tmp_path / "generated")
    assert artifact_hashes(tmp_path / "files") == artifact_hashes(tmp_path / "generated")


def test_orchestrator_a_stage_that_cannot_do_its_work_stops_those_after_it(
    small: ContestConfig, slate: Any, tmp_path: Path
) -> None:
    dear = np.argsort(-slate.salaries)[:8]
    small.optimizer.lock = [slate.ids[player] for player in dear]
    with pytest.raises(UsageError, match="no lineup 1 is possible"):
        ran(small, tmp_path / "run")
    states = {stage: read_json(tmp_path / "run" / stage / "stage.json")["state"] for stage in LAYOUT}
    assert states == {"variants": "COMPLETED", "optimizer": "FAILED"} | dict.fromkeys(
        ("field_sampler", "sim", "export"), "PENDING"
    )
    assert not (tmp_path / "run" / "manifest.json").exists()
