"""The routes: starting, looking, logs, results, cancelling, resuming."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.serve.conftest import Client, listening, settings_of, write_app

from runyard.base import STATES, SweepState
from runyard.serve import Fields, read_fields
from runyard.serve.models import JobState, State


def only(client: Client) -> str:
    (row,) = client.get("/api/runs").json()["runs"]
    return str(row["run_id"])


def test_a_single_run_that_is_waited_for_tells_its_metrics(client: Client) -> None:
    answer = client.post("/api/runs", {"overrides": ["x=4"], "wait": True, "tag": "a tag"})
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["metrics_head"] == {"twice": 8.0}
    assert body["state"] == "COMPLETED"
    assert (client.folder / body["artifact_path"] / "run.json").is_file()
    assert client.get(answer.headers["Location"]).json()["tags"] == ["a tag"]


def test_swept_overrides_make_a_sweep_which_is_told_at_once(client: Client) -> None:
    answer = client.post("/api/runs", {"overrides": ["x=1,2", "wait_for=go"], "seeds": 2, "max_jobs": 3})
    # a seed is a key that this application does not have: Hydra's own words come back
    assert answer.status_code == 400
    assert "seed" in answer.json()["detail"]
    answer = client.post("/api/runs", {"overrides": ["x=1,2", "wait_for=go"], "max_jobs": 1})
    assert answer.status_code == 202
    assert set(answer.json()) == {"run_id", "state", "artifact_path"}
    run_id = answer.json()["run_id"]
    assert client.get(f"/api/runs/{run_id}").json()["is_at_work"] is True
    (client.folder / "go").touch()
    assert client.end_of(run_id)["counts"] == {"COMPLETED": 1}


def test_of_a_sweep_that_is_waited_for_the_spread_of_each_metric_is_told(client: Client) -> None:
    answer = client.post("/api/runs", {"overrides": ["x=1,2"], "wait": True})
    assert answer.status_code == 201, answer.text
    assert answer.json()["metrics_head"] == {"twice": {"n": 2, "mean": 3.0, "min": 2.0, "max": 4.0}}


def test_who_waits_no_longer_gets_the_state_as_it_is(client: Client) -> None:
    answer = client.post("/api/runs", {"overrides": ["x=1", "wait_for=go"], "wait": True, "timeout_s": 0.1})
    (client.folder / "go").touch()
    assert answer.status_code == 202
    assert answer.json()["state"] == "RUNNING"
    assert "metrics_head" not in answer.json()
    client.end_of(answer.json()["run_id"])


def test_the_list_is_filtered_and_paged(reader: Client) -> None:
    assert reader.get("/api/runs").json()["total"] == 1
    assert reader.get("/api/runs", params={"tag": "red", "state": "FAILED"}).json()["total"] == 1
    assert reader.get("/api/runs", params={"tag": "blue"}).json()["total"] == 0
    assert reader.get("/api/runs", params={"experiment": "other"}).json()["total"] == 0
    assert reader.get("/api/runs", params={"offset": 1}).json()["runs"] == []


def test_a_run_is_told_with_its_jobs_and_their_errors(reader: Client) -> None:
    run_id = only(reader)
    detail = reader.get(f"/api/runs/{run_id}").json()
    assert detail["counts"] == {"COMPLETED": 2, "FAILED": 1}
    assert detail["artifact_path"].startswith("multirun/small/")
    assert detail["figures"][0] == "summary.png"
    jobs = reader.get(f"/api/runs/{run_id}/jobs", params={"state": "FAILED"}).json()
    assert [job["params"] for job in jobs["jobs"]] == [{"x": 3}]
    job = reader.get(f"/api/runs/{run_id}/jobs/2").json()
    assert job["attempts"][0]["error"] == "ValueError: x is 3"
    assert "x: 3" in job["config"]


def test_secrets_are_in_no_answer(reader: Client) -> None:
    run_id = only(reader)
    paths = ("", "/summary", "/jobs", "/jobs/1", "/logs?job=1", "/results", "/results?format=csv")
    texts = [reader.get(f"/api/runs/{run_id}{path}").text for path in paths]
    assert "password=***" in texts[4]
    pages = [reader.get(path).text for path in (f"/sweeps/{run_id}", f"/sweeps/{run_id}/jobs/1")]
    assert not [text for text in (*texts, *pages) if "hunter2" in text]


def test_a_summary_has_the_notes_and_the_causes(reader: Client) -> None:
    summary = reader.get(f"/api/runs/{only(reader)}/summary").json()
    assert summary["failures"] == [{"state": "FAILED", "why": "ValueError: x is 3", "jobs": [2]}]
    assert summary["metrics_head"]["twice"]["n"] == 2
    assert "3 jobs of the experiment" in summary["text"]


def test_logs_are_cut_to_the_last_lines(reader: Client) -> None:
    path = f"/api/runs/{only(reader)}/logs"
    assert reader.get(path, params={"job": 0}).text.startswith("x is 1\n")
    assert reader.get(path, params={"job": 2, "tail": 2}).text == "ValueError: x is 3\n\n"
    assert reader.get(path, params={"job": 0, "tail": 0}).text == ""
    assert reader.get(path, params={"job": 9}).status_code == 404
    assert reader.get(path).status_code == 404  # the sweep was started by hand: nobody kept its output


def test_results_come_as_json_and_csv(reader: Client) -> None:
    path = f"/api/runs/{only(reader)}/results"
    assert [row["metrics"] for row in reader.get(path).json()] == [{"twice": 2.0}, {"twice": 4.0}, {}]
    lines = reader.get(path, params={"format": "csv"}).text.splitlines()
    assert lines[0].startswith("job,state,x,twice,")
    assert lines[1].startswith("0,COMPLETED,1,2.0,")


def test_what_is_not_there_is_told_as_such(reader: Client) -> None:
    run_id = only(reader)
    for path in ("/api/runs/none", f"/api/runs/{run_id}/jobs/7", "/api/nothing", f"/sweeps/{run_id}/figures/x.png"):
        assert reader.get(path).status_code == 404, path
    assert reader.get("/api/runs/none").headers["content-type"] == "application/problem+json"


def test_a_log_is_followed_until_its_job_has_ended(client: Client) -> None:
    run_id = client.start("x=1,2", "wait_for=go")
    found: list[str] = []

    def follow() -> None:
        found.append(client.get(f"/api/runs/{run_id}/logs", params={"job": 0, "follow": True}).text)

    thread = threading.Thread(target=follow)
    thread.start()
    time.sleep(1)
    assert thread.is_alive()
    (client.folder / "go").touch()
    thread.join(60)
    assert found == ["x is 1\npassword=***\n"]


def test_a_sweep_is_cancelled_and_resumed(client: Client) -> None:
    run_id = client.start("x=1,2,4", "wait_for=go")
    assert client.post(f"/api/runs/{run_id}/resume").status_code == 409  # at work already
    assert client.post(f"/api/runs/{run_id}/cancel").status_code == 200
    assert client.end_of(run_id)["state"] == "CANCELLED"
    assert client.post(f"/api/runs/{run_id}/cancel").status_code == 400  # there is nothing to cancel
    (client.folder / "go").touch()
    assert client.post(f"/api/runs/{run_id}/resume").status_code == 200
    assert client.end_of(run_id)["counts"] == {"COMPLETED": 3}


def test_a_single_run_is_cancelled(client: Client) -> None:
    run_id = client.start("x=1", "wait_for=go")
    assert client.post(f"/api/runs/{run_id}/cancel").status_code == 200
    assert client.end_of(run_id)["state"] == "CANCELLED"


def test_the_figure_of_a_sweep_at_work_shows_what_has_come_so_far(client: Client) -> None:
    (client.folder / "one.py").write_text(
        (client.folder / "small.py").read_text().replace("while cfg.wait_for", "while cfg.x == 2 and cfg.wait_for")
    )
    (client.folder / "small.py").write_text((client.folder / "one.py").read_text())
    run_id = client.start("x=1,2", "wait_for=go")
    deadline = time.monotonic() + 60
    while client.get(f"/api/runs/{run_id}").json()["figures"] != ["so-far.png"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    picture = client.get(f"/sweeps/{run_id}/figures/so-far.png")
    (client.folder / "go").touch()
    assert picture.content.startswith(b"\x89PNG")
    assert client.end_of(run_id)["figures"][0] == "summary.png"


def test_only_so_many_sweeps_are_at_work_at_a_time(tmp_path: Path) -> None:
    write_app(tmp_path)
    with listening(settings_of(tmp_path, most_running=1)) as client:
        first = client.start("x=1,2", "wait_for=go")
        refused = client.post("/api/runs", {"overrides": ["x=1"]})
        (tmp_path / "go").touch()
        assert (refused.status_code, "at work" in refused.json()["title"]) == (429, True)
        client.end_of(first)
        assert client.post("/api/runs", {"overrides": ["x=1"], "wait": True}).status_code == 201


def test_a_sweep_that_is_too_large_is_refused_before_it_is_planned(client: Client) -> None:
    before = client.post("/api/runs", {"overrides": ["x=range(0,1000000000)"]})
    assert (before.status_code, "50 are the most" in before.json()["title"]) == (400, True)
    # what only the application knows, such as a glob or a sampler, its own process counts
    after = client.post("/api/runs", {"overrides": ["x=range(0,40)", "+y.a=1,2"], "max_jobs": 60})
    assert (after.status_code, "50" in after.json()["detail"]) == (400, True)
    assert client.get("/api/runs").json()["total"] == 0


def test_an_application_that_refuses_is_told_in_its_own_words(client: Client) -> None:
    answer = client.post("/api/runs", {"overrides": ["nope=1"]})
    assert answer.status_code == 400
    assert "nope" in answer.json()["detail"]
    assert "Traceback" not in answer.text


def test_a_server_without_an_application_starts_nothing(ran: Path) -> None:
    with listening(settings_of(ran, app=None)) as client:
        answer = client.post("/api/runs", {"overrides": []})
        assert (answer.status_code, "--app" in answer.json()["detail"]) == (403, True)


def test_fields_of_the_application_are_overrides_by_other_names(tmp_path: Path) -> None:
    write_app(tmp_path)
    (tmp_path / "fields.yaml").write_text("fields: {level: [x, y.z]}\nmetrics_head: [twice]\noverrides: [+deep.a=1]\n")
    with listening(settings_of(tmp_path, fields=read_fields(tmp_path / "fields.yaml"))) as client:
        answer = client.post("/api/runs", {"level": 5, "wait": True})
        assert answer.json()["metrics_head"] == {"twice": 10.0}
        job = client.get(f"/api/runs/{answer.json()['run_id']}/jobs/0").json()
        assert {"x=5", "y.z=5", "+deep.a=1"} <= set(job["overrides"])
        # a value stays a value, whatever stands in it
        odd = client.post("/api/runs", {"level": "1,2 hydra.run.dir=/tmp/x", "wait": True})
        assert odd.status_code == 201
        assert 'x="1,2 hydra.run.dir=/tmp/x"' in client.get(f"/api/runs/{odd.json()['run_id']}/jobs/0").text.replace(
            '\\"', '"'
        )
        for evil in ("${oc.env:HOME}", {"_target_": "os.getcwd"}, {"a b": 1}):
            assert client.post("/api/runs", {"level": evil}).status_code in (400, 403), evil
        assert client.post("/api/runs", {"lvel": 5}).status_code == 422
        assert "level" in client.get("/openapi.json").text


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"overrides": "x=1"}, "overrides"),
        ({"experiment": "a/../b"}, "experiment"),
        ({"tag": "a\nb"}, "tag"),
        ({"launcher": "basic"}, "launcher"),
        ({"wait": True, "timeout_s": 1e9}, "timeout_s"),
        ({"nothing": 1}, "nothing"),
    ],
)
def test_a_body_that_is_not_what_is_asked_for_is_told_where(reader: Client, body: Any, where: str) -> None:
    answer = reader.post("/api/runs", body)
    assert answer.status_code == 422
    assert where in answer.json()["detail"]


def test_events_tell_a_run_from_its_begin_to_its_end(client: Client) -> None:
    import asyncio
    import json

    from runyard.serve.events import events
    from runyard.serve.sweeps import Sweeps

    sweeps = Sweeps((client.folder / "multirun",), lasts_s=0.0)

    async def gather() -> list[dict[str, Any]]:
        seen: list[dict[str, Any]] = []
        started = False
        async for text in events(sweeps):
            if not started:
                started = True
                await asyncio.to_thread(client.start, "x=1,2")
            if text.startswith("event: run"):
                seen.append(json.loads(text.split("data: ")[1]))
                if seen[-1]["state"] == "COMPLETED":
                    return seen
        return seen

    seen = asyncio.run(asyncio.wait_for(gather(), 90))
    assert seen[-1]["counts"] == {"COMPLETED": 2}


def test_the_models_know_every_state() -> None:
    assert set(JobState.__args__) == {state.value for state in STATES}  # type: ignore[attr-defined]
    assert set(State.__args__) == {state.value for state in SweepState}  # type: ignore[attr-defined]


def test_fields_without_a_value_bring_nothing() -> None:
    fields = Fields(names={"a": ("x",)}, overrides=("+b=1",))
    assert fields.words({}) == []
    assert fields.words({"a": "t"}) == ['x="t"']
