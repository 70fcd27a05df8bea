"""What goes in and out as JSON: the bodies of requests and answers, as the OpenAPI document describes them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from runyard.serve.launches import EXPERIMENT, TAG

_MOST_OVERRIDES, _LONGEST_OVERRIDE = 200, 4000
#: how long a client may wait for an end, in seconds.
MOST_WAIT_S = 3600.0

State = Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "LOST"]
JobState = Literal[
    "PENDING", "RUNNING", "COMPLETED", "FAILED", "TIMEOUT", "OUT_OF_MEMORY", "PREEMPTED", "CANCELLED", "LOST"
]
_Scalar = str | int | float | bool | None
FieldValue = _Scalar | dict[str, _Scalar]


class RunRequest(BaseModel):
    """What to start. A sweep when an override, ``seeds`` or a named experiment asks for one; else a single run."""

    model_config = ConfigDict(extra="forbid", str_max_length=_LONGEST_OVERRIDE)

    overrides: list[str] = Field(
        default_factory=list, max_length=_MOST_OVERRIDES, description="As on Hydra's command line."
    )
    experiment: str | None = Field(
        default=None, pattern=f"^{EXPERIMENT}$", description="A choice of the group `experiment`."
    )
    tag: str | None = Field(default=None, pattern=f"^{TAG}$", description="A tag of the record.")
    launcher: Literal["local", "slurm"] | None = Field(default=None, description="The application's own by default.")
    seeds: int | list[int] | None = Field(default=None, description="How many repetitions, or their seeds.")
    max_jobs: int | None = Field(default=None, ge=1, le=10_000_000, description="No more jobs than that.")
    sweep: bool | None = Field(default=None, description="Whether it is a sweep, where that is not clear.")
    wait: bool = Field(default=False, description="Answer when it has ended.")
    timeout_s: float = Field(
        default=600.0, gt=0, le=MOST_WAIT_S, description="With `wait`: answer after so many seconds anyway."
    )


def request_model(names: list[str]) -> type[RunRequest]:
    """The body of a start, with the application's own fields."""
    more: dict[str, Any] = {
        name: (FieldValue, Field(default=None, description="A field of the application."))
        for name in names
        if name not in RunRequest.model_fields
    }
    return create_model("StartRequest", __base__=RunRequest, **more)


class Started(BaseModel):
    """A run that was started; or, after waiting, what came of it."""

    run_id: str
    state: State
    artifact_path: str = Field(description="Its directory, from the server's working directory where it lies below.")
    metrics_head: dict[str, Any] | None = Field(
        default=None,
        description="After waiting: a single run's metrics; of a sweep the n, mean, min and max of each over its jobs.",
    )


class RunRow(BaseModel):
    """One sweep or single run of the list."""

    run_id: str
    kind: Literal["sweep", "run"]
    experiment: str
    state: State
    counts: dict[str, int] = Field(description="Jobs by state.")
    created_at: str
    finished_at: str | None
    tags: list[str]
    note: str


class RunList(BaseModel):
    """A page of the list, the newest first."""

    total: int
    runs: list[RunRow]


class RunDetail(RunRow):
    """One sweep or single run."""

    launcher: str
    overrides: list[str] = Field(description="Of the command line; values that look like secrets are `***`.")
    artifact_path: str
    is_at_work: bool = Field(description="Whether a process runs it now.")
    git_sha: str | None
    figures: list[str]


class Cause(BaseModel):
    """Jobs that failed alike."""

    state: JobState
    why: str
    jobs: list[int]


class Summary(BaseModel):
    """What came of a run so far."""

    run_id: str
    state: State
    counts: dict[str, int]
    metrics_head: dict[str, Any]
    failures: list[Cause]
    text: str = Field(description="Its notes, or the application's own summary; empty before there are any.")


class AttemptRow(BaseModel):
    """One try at a job."""

    n: int
    state: JobState
    started_at: str
    ended_at: str | None
    seconds: float | None
    host: str
    exit_code: int | None
    signal: str | None
    error: str | None = Field(description="Type and message; no traceback.")


class JobRow(BaseModel):
    """One job of the list."""

    job: int
    state: JobState
    params: dict[str, Any] = Field(description="The swept values.")
    metrics: dict[str, Any]
    seconds: float | None


class JobDetail(JobRow):
    """One job."""

    overrides: list[str]
    attempts: list[AttemptRow]
    stages: dict[str, Any]
    config: str = Field(description="The composed config as YAML; values that look like secrets are `***`.")


class JobList(BaseModel):
    """A page of the jobs, in the order of their numbers."""

    total: int
    jobs: list[JobRow]


class Said(BaseModel):
    """What was done, in a sentence."""

    run_id: str
    said: str


class Problem(BaseModel):
    """What is wrong (RFC 9457)."""

    type: str
    status: int
    title: str
    detail: str
