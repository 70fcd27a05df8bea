"""The contest over HTTP."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.conftest import REPO, read_json

from app.contest.api import make_api

SMALL = {
    "variants_config": {"count": 1},
    "optimizer_config": {"lineups": 1},
    "sampler_config": {"field_size": 40, "skill": 1},
    "sim_config": {"worlds": 20},
}


@dataclass
class Client:
    """Calls the application without a port."""

    api: Any

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.api)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=240) as client:
                return await client.request(method, path, **options)

        return asyncio.run(answer())

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(REPO / "src"))
    monkeypatch.delenv("PYTHONWARNINGS", raising=False)
    return Client(make_api())


def test_orchestrator_a_request_runs_and_is_answered_with_the_head(client: Client, tmp_path: Path) -> None:
    body = {"slate": "synthetic-2", "contest": "DK_MME_20", "seed": 5, "tag": "it's {here}", **SMALL}
    answer = client.post("/api/runs", json=body)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert set(told) == {"run_id", "artifact_path", "metrics_head"}
    folder = Path(told["artifact_path"])
    assert folder == tmp_path / "outputs" / "synthetic-2" / told["run_id"]
    manifest = read_json(folder / "manifest.json")
    assert told["metrics_head"] == manifest["metrics_head"]
    assert (manifest["seeds"]["run"], manifest["tag"]) == (5, "it's {here}")
    again = client.get(f"/api/runs/{told['run_id']}").json()
    assert again == {"manifest": manifest, "summary": (folder / "export" / "summary.md").read_text()}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"slate": "nowhere"}, "there is no slate 'nowhere'"),
        ({"slates": "elsewhere"}, "unknown key 'slates'"),
        ({"seed": "1"}, "seed is '1'"),
        ({"seed": True}, "seed is True"),
        ({"sim_config": {"wolrds": 3}}, "did you mean 'worlds'?"),
        ({"tag": "${oc.env:HOME}"}, "a text has '${' in it"),
        ({"optimizer_config": {"lock": ["${oc.env:HOME}"]}}, "a text has '${' in it"),
        ({"sim_config": {"worlds": 0}}, "sim.worlds must be a whole number"),
    ],
)
def test_what_cannot_be_done_is_422_and_runs_nothing(
    client: Client, tmp_path: Path, body: dict[str, object], says: str
) -> None:
    answer = client.post("/api/runs", json=body)
    assert answer.status_code == 422
    assert says in answer.json()["detail"]
    assert not (tmp_path / "outputs").exists()


def test_a_run_that_is_not_there_is_404_and_another_host_is_refused(client: Client) -> None:
    assert client.get("/api/runs/nothing").status_code == 404
    assert client.get("/api/runs/nothing", headers={"host": "elsewhere.org"}).status_code == 400
