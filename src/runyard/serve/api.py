"""The routes below ``/api``: parse, call one function, answer. They know neither tokens nor hosts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from fastapi import Path as InPath
from fastapi.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from pydantic import BaseModel

from runyard.base import TERMINAL
from runyard.serve import answers
from runyard.serve.events import events
from runyard.serve.launches import Launches, Order
from runyard.serve.models import (
    JobDetail,
    JobList,
    JobState,
    Problem,
    RunDetail,
    RunList,
    RunRequest,
    Said,
    Started,
    State,
    Summary,
    request_model,
)
from runyard.serve.pictures import Pictures
from runyard.serve.problems import MEDIA_TYPE
from runyard.serve.results import results_csv
from runyard.serve.settings import ServeSettings
from runyard.serve.sweeps import Sweeps, log_of, sweep_log_of
from runyard.serve.tails import follow, log_tail

#: how often a waiting request looks whether the run has ended, in seconds.
_LOOK_S = 0.5
_OWN = frozenset(RunRequest.model_fields)

RunId = Annotated[str, InPath(max_length=300, description="The run's id, whole.")]
Number = Annotated[int, InPath(ge=0, le=2**31, description="The job's number.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
Offset = Annotated[int, Query(ge=0, le=2**31, description="How many are passed over.")]


def _problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    told = {400: "It cannot be done.", 401: "No token, or a wrong one.", 403: "It is not allowed.", 404: "Not there."}
    told |= {409: "Somebody is at work on it.", 413: "The body is too large.", 422: "Not what is asked for."}
    told |= {429: "Too many are at work."}
    return {code: {"description": told[code], "content": content} for code in (401, *codes)}


def make_api(settings: ServeSettings, sweeps: Sweeps, launches: Launches, pictures: Pictures) -> APIRouter:
    """The routes, over one set of roots."""
    api = _Api(settings, sweeps, launches, pictures)
    router = APIRouter(prefix="/api")
    ended: dict[int | str, dict[str, Any]] = {201: {"model": Started, "description": "It has ended."}}
    router.add_api_route(
        "/runs",
        _starter(api, request_model([*settings.fields.names])),
        methods=["POST"],
        status_code=202,
        response_model=Started,
        responses=ended | _problems(400, 403, 413, 422, 429),
        summary="Start a sweep or a single run",
    )
    router.add_api_route("/runs", api.runs, summary="List sweeps and single runs", responses=_problems(422))
    one = "/runs/{run_id}"
    for path, call, summary in (
        (one, api.run, "Tell of one run"),
        (f"{one}/summary", api.summary, "What came of a run"),
        (f"{one}/jobs", api.jobs, "List the jobs of a run"),
        (f"{one}/jobs/{{number}}", api.job, "Tell of one job"),
    ):
        router.add_api_route(path, call, summary=summary, responses=_problems(404, 422))
    text: dict[int | str, dict[str, Any]] = {
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "The log."}
    }
    router.add_api_route(
        f"{one}/logs", api.logs, response_class=PlainTextResponse, responses={**text, **_problems(404, 422)},
        summary="What a job printed",
    )  # fmt: skip
    tables: dict[int | str, dict[str, Any]] = {
        200: {"content": {"text/csv": {"schema": {"type": "string"}}, "application/json": {}}, "description": "Rows."}
    }
    router.add_api_route(
        f"{one}/results", api.results, response_class=Response, responses={**tables, **_problems(404, 422)},
        summary="Results, a row per job",
    )  # fmt: skip
    for name, act in (("cancel", api.cancel), ("resume", api.resume)):
        router.add_api_route(
            f"{one}/{name}", act, methods=["POST"], responses=_problems(400, 403, 404, 409, 422, 429),
            summary=f"{name.capitalize()} a run",
        )  # fmt: skip
    stream: dict[int | str, dict[str, Any]] = {
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "Events."}
    }
    router.add_api_route(
        "/events", api.events, response_class=StreamingResponse, responses={**stream, **_problems()},
        summary="What changes, as server-sent events",
    )  # fmt: skip
    return router


def add_problem_schema(document: dict[str, Any]) -> None:
    """The schema that every route's problems refer to."""
    document["components"]["schemas"]["Problem"] = Problem.model_json_schema()


def _starter(api: _Api, model: type[RunRequest]) -> Callable[..., Any]:
    """The route of a start, whose body has the application's own fields."""

    async def start(request: BaseModel) -> Response:
        return await api.start(request)

    start.__annotations__["request"] = Annotated[model, Body()]
    start.__annotations__["return"] = Response
    return start


class _Api:
    """What the routes share. Plain functions are called in threads; those that wait are asynchronous."""

    def __init__(self, settings: ServeSettings, sweeps: Sweeps, launches: Launches, pictures: Pictures) -> None:
        self._settings, self._sweeps, self._launches, self._pictures = settings, sweeps, launches, pictures

    async def start(self, request: BaseModel) -> Response:
        values = request.model_dump()
        order = _order(values, self._settings)
        folder = await asyncio.to_thread(self._launches.start, order)
        now = await asyncio.to_thread(self._sweeps.look_at, folder)
        run_id = now.record.sweep_id
        head = None
        if values["wait"]:
            until = time.monotonic() + float(values["timeout_s"])
            while now.controller is not None and time.monotonic() < until:
                await asyncio.sleep(_LOOK_S)
                now = await asyncio.to_thread(self._sweeps.look_at, folder)
            head = self._settings.fields.metrics_head if now.controller is None else None
        answer = answers.started(now, folder, self._settings.cwd, head)
        return JSONResponse(
            answer.model_dump(exclude_none=head is None),
            status_code=202 if head is None else 201,
            headers={"Location": f"/api/runs/{run_id}"},
        )

    def runs(
        self,
        limit: Limit = 50,
        offset: Offset = 0,
        state: State | None = None,
        experiment: Annotated[str | None, Query(max_length=200)] = None,
        tag: Annotated[str | None, Query(max_length=200)] = None,
    ) -> RunList:
        rows = [
            row
            for row in self._sweeps.rows()
            if (state is None or row["state"] == state)
            and (experiment is None or row["experiment"] == experiment)
            and (tag is None or tag in row["tags"])
        ]
        return RunList(total=len(rows), runs=[answers.row_of(row) for row in rows[offset : offset + limit]])

    def run(self, run_id: RunId) -> RunDetail:
        folder = self._sweeps.dir_of(run_id)
        now = self._sweeps.standing(run_id)
        return answers.detail_of(now, folder, self._settings.cwd, self._pictures.names(run_id))

    def summary(self, run_id: RunId) -> Summary:
        folder, now = self._sweeps.dir_of(run_id), self._sweeps.standing(run_id)
        fields = self._settings.fields
        own = self._sweeps.inside(folder / fields.summary) if fields.summary and now.record.single else None
        return answers.summary_of(now, folder, fields.metrics_head, own)

    def jobs(self, run_id: RunId, limit: Limit = 100, offset: Offset = 0, state: JobState | None = None) -> JobList:
        runs = [run for run in self._sweeps.standing(run_id).runs if state is None or run.state.value == state]
        return JobList(total=len(runs), jobs=[answers.job_row(run) for run in runs[offset : offset + limit]])

    def job(self, run_id: RunId, number: Number) -> JobDetail:
        run = self._sweeps.job(run_id, number)
        self._sweeps.inside(Path(run.run_dir))
        return answers.job_detail(run)

    def logs(
        self,
        run_id: RunId,
        job: Annotated[
            int | None, Query(ge=0, le=2**31, description="Which job; the sweep's own output without.")
        ] = None,
        tail: Annotated[int | None, Query(ge=0, le=100_000, description="Only so many lines from the end.")] = None,
        follow_: Annotated[bool, Query(alias="follow", description="Go on until it has ended.")] = False,
    ) -> Response:
        path, has_ended = self._log(run_id, job)
        headers = {"Cache-Control": "no-store"}
        if follow_:
            return StreamingResponse(follow(path, tail, has_ended), media_type="text/plain", headers=headers)
        return PlainTextResponse(log_tail(path, tail), headers=headers)

    def _log(self, run_id: str, job: int | None) -> tuple[Path, Callable[[], bool]]:
        """The log, and whether nobody writes it any more."""
        now = self._sweeps.standing(run_id)
        if job is None and not now.record.single:
            folder = self._sweeps.dir_of(run_id)
            return self._sweeps.inside(sweep_log_of(folder)), lambda: self._sweeps.standing(run_id).controller is None
        number = 0 if job is None else job
        path = self._sweeps.inside(log_of(self._sweeps.job(run_id, number)))

        def has_ended() -> bool:
            standing = self._sweeps.standing(run_id)
            return standing.controller is None or self._sweeps.job(run_id, number).state in TERMINAL

        return path, has_ended

    def results(
        self, run_id: RunId, format: Annotated[Literal["json", "csv"], Query(description="Of the answer.")] = "json"
    ) -> Response:
        folder, runs = self._sweeps.dir_of(run_id), self._sweeps.standing(run_id).runs
        if format == "csv":
            return Response(results_csv(runs, folder), media_type="text/csv")
        return JSONResponse([answers.job_row(run).model_dump() for run in runs])

    def cancel(self, run_id: RunId) -> Said:
        return Said(run_id=run_id, said=self._launches.cancel(run_id))

    def resume(self, run_id: RunId) -> Said:
        self._launches.resume(run_id)
        return Said(run_id=run_id, said="its process is at work, or it is queued again")

    async def events(self) -> StreamingResponse:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(events(self._sweeps), media_type="text/event-stream", headers=headers)


def _order(values: dict[str, Any], settings: ServeSettings) -> Order:
    given = {name: value for name, value in values.items() if name in settings.fields.names and value is not None}
    own = {name: value for name, value in values.items() if name in _OWN and name not in ("wait", "timeout_s")}
    return Order(**own, fields=given)
