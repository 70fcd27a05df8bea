"""The contest over HTTP, by the fields of requirement 4."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.conftest import REPO
from tests.serve.conftest import listening, settings_of

from runyard.serve import read_fields


def test_the_orchestrator_answers_with_the_run_its_place_and_the_head_of_its_metrics(
    tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPO / "src"))
    (tmp_path / "conf").symlink_to(REPO / "conf")
    fields = read_fields(REPO / "conf" / "serve" / "contest.yaml")
    with listening(settings_of(tmp_path, app="app", fields=fields)) as client:
        body = {
            "slate": "synthetic-3",
            "contest": "DK_MME_20",
            "seed": 7,
            "tag": "over-http",
            "variants_config": {"count": 2},
            "optimizer_config": {"lineups": 2},
            "sampler_config": {"field_size": 50},
            "sim_config": {"worlds": 20},
            "wait": True,
        }
        answer = client.post("/api/runs", body)
        assert answer.status_code == 201, answer.text
        told = answer.json()
        assert set(told["metrics_head"]) == {"roi_mean", "roi_p50", "dup_p95"}
        folder = tmp_path / told["artifact_path"]
        assert (folder / "optimizer" / "dk_export.csv").is_file()
        assert '"tag": "over-http"' in (folder / "manifest.json").read_text()
        row = client.get("/api/runs", params={"tag": "over-http", "experiment": "contest"}).json()["runs"][0]
        assert row["run_id"] == told["run_id"]
        summary = client.get(f"/api/runs/{told['run_id']}/summary").json()
        assert summary["text"].startswith("# DK_MME_20 on synthetic-3")
        wrong = client.post("/api/runs", {"slate": "none-like-this"})
        assert (wrong.status_code, "none-like-this" in wrong.json()["detail"]) == (400, True)
