"""The OpenAPI document is held against the service, by requests made from it: no answer may be a server's error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from tests.serve.conftest import TOKEN, Client, listening, settings_of, write_app

#: generated requests for each route.
_EXAMPLES = 25


ROUTES = (
    ("POST", "/api/runs"),
    ("GET", "/api/runs"),
    ("GET", "/api/runs/{run_id}"),
    ("GET", "/api/runs/{run_id}/summary"),
    ("GET", "/api/runs/{run_id}/jobs"),
    ("GET", "/api/runs/{run_id}/jobs/{number}"),
    ("GET", "/api/runs/{run_id}/logs"),
    ("GET", "/api/runs/{run_id}/results"),
    ("POST", "/api/runs/{run_id}/cancel"),
    ("POST", "/api/runs/{run_id}/resume"),
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A service that has run something, and may start more."""
    folder = tmp_path_factory.mktemp("schema")
    write_app(folder)
    with listening(settings_of(folder)) as client:
        client.end_of(client.start("x=1,2"))
        yield client


@pytest.fixture(scope="module")
def document(served: Client) -> Any:
    found = served.get("/openapi.json").json()
    logs = found["paths"]["/api/runs/{run_id}/logs"]["get"]
    logs["parameters"] = [one for one in logs["parameters"] if one["name"] != "follow"]  # it may have no end
    run_id = served.get("/api/runs").json()["runs"][0]["run_id"]
    for path in found["paths"].values():
        for call in path.values():
            for parameter in call.get("parameters", ()):
                if parameter["name"] == "run_id":  # half of them are there
                    parameter["schema"] = {"anyOf": [{"const": run_id}, parameter["schema"]]}
    return found


def test_every_route_of_the_document_is_tried(document: Any) -> None:
    calls = {(method.upper(), path) for path, found in document["paths"].items() for method in found}
    assert calls == {*ROUTES, ("GET", "/api/events")}  # events have no end; test_api listens to them


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_no_request_makes_the_server_fail(served: Client, document: Any, method: str, path: str) -> None:
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=str(served.http.base_url).rstrip("/"))
    operation = schema[path][method]

    @given(case=operation.as_strategy())
    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        # a schema cannot tell what Hydra takes for an override: a text that is none is answered with 400
        excluded = [positive_data_acceptance] if path == "/api/runs" and method == "POST" else []
        case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"}, excluded_checks=excluded)

    ask()
