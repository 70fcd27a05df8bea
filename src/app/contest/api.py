"""The contest over HTTP: ``POST /api/runs`` runs one and answers with its id, its place and the head of its metrics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.contest.launch import Request, start
from app.workloads.contest.config import ContestConfig
from runyard import UsageError

if TYPE_CHECKING:
    from fastapi import FastAPI

_BODY = ("slate", "contest", "seed", "tag", *(f"{name}_config" for name in ("variants", "optimizer", "sampler", "sim")))
_WORDS = 4000  # characters of what a failed run has said


def make_api(*, slates: str = ContestConfig.slates, runs_dir: str = "outputs", hosts: tuple[str, ...] = ()) -> FastAPI:
    """The application.

    ``POST /api/runs`` takes the options of the command as JSON (`slate`, `contest`, `seed`, `tag`, and
    `variants_config`, `optimizer_config`, `sampler_config`, `sim_config` as mappings), waits for the run, and answers
    with `run_id`, `artifact_path` and `metrics_head`; 422 for what cannot be done, 500 for a run that failed. ``GET
    /api/runs/{run_id}`` answers with the manifest and the summary.

    Args:
        slates: Folder of slates.
        runs_dir: Folder of runs.
        hosts: Names under which it may be called, besides those of this machine.

    Raises:
        UsageError: fastapi is not installed.
    """
    try:
        from fastapi import FastAPI, HTTPException
        from fastapi.middleware.trustedhost import TrustedHostMiddleware
    except ImportError as error:
        raise UsageError(f"this needs fastapi ({error})", todo="pip install 'runyard[serve]'") from error
    api = FastAPI(title="Contest", version="1")
    # a page of another site that has its name lead to this machine is refused
    api.add_middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1", "[::1]", *hosts])

    def post(body: dict[str, Any]) -> dict[str, Any]:
        try:
            ended = start(request_of(body, slates=slates, runs_dir=runs_dir), keep_words=True)
        except UsageError as error:
            raise HTTPException(status_code=422, detail=str(error)) from error
        if ended.code != 0:
            raise HTTPException(status_code=422 if ended.code == 2 else 500, detail=ended.said[-_WORDS:].strip())
        return ended.head()

    def get(run_id: str) -> dict[str, Any]:
        found = [path for path in Path(runs_dir).glob("*/*/manifest.json") if path.parent.name == run_id]
        if not found:
            raise HTTPException(status_code=404, detail=f"there is no run {run_id!r} in {runs_dir}")
        manifest = json.loads(found[0].read_text(encoding="utf-8"))
        summary = (found[0].parent / "export" / "summary.md").read_text(encoding="utf-8")
        return {"manifest": manifest, "summary": summary}

    api.add_api_route("/api/runs", post, methods=["POST"])
    api.add_api_route("/api/runs/{run_id}", get, methods=["GET"])
    return api


def request_of(body: dict[str, Any], *, slates: str, runs_dir: str) -> Request:
    """The request in a body.

    Raises:
        UsageError: a key is not known, or a value is of another kind.
    """
    for key, value in body.items():
        wanted = {"seed": int}.get(key, dict if key.endswith("_config") else str)
        if key not in _BODY:
            raise UsageError(f"unknown key {key!r}", where="body", todo=f"Known: {', '.join(_BODY)}")
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise UsageError(f"{key} is {value!r}", where="body", todo=f"give a value of type {wanted.__name__}")
    sections = {key.removesuffix("_config"): value for key, value in body.items() if key.endswith("_config")}
    plain = {key: value for key, value in body.items() if not key.endswith("_config")}
    return Request(**plain, sections=sections, inputs={"slates": slates}, runs_dir=runs_dir)
