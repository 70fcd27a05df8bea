"""Who is let in: hosts, origins, sizes, tokens."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.serve.conftest import TOKEN, Client, listening, settings_of

from runyard.base import UsageError
from runyard.serve import ServeSettings, guard, new_token, read_token
from runyard.serve.tokens import is_same

RIGHT = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize("path", ["/api/runs", "/api/events", "/openapi.json", "/api/runs/x/jobs/0"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": TOKEN},
        {"Cookie": "runyard_token=wrong"},
        {"Cookie": "="},
    ],
)
def test_nothing_is_told_without_the_token(reader: Client, path: str, headers: dict[str, str]) -> None:
    answer = reader.http.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert TOKEN not in answer.text


def test_a_browser_without_the_token_is_sent_to_the_login(reader: Client) -> None:
    answer = reader.http.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert reader.http.get("/login").status_code == 200
    assert reader.http.get("/static/page.css").status_code == 200


def test_the_login_gives_a_cookie_that_scripts_cannot_read(reader: Client) -> None:
    wrong = reader.http.post("/login", data={"token": "wrong"})
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
    right = reader.http.post("/login", data={"token": TOKEN})
    assert right.status_code == 303
    cookie = right.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    reader.http.cookies.clear()
    kept = {"Cookie": f"runyard_token={TOKEN}"}
    assert reader.http.get("/", headers=kept).status_code == 200
    assert reader.http.post("/logout", headers=kept).status_code == 403  # no origin: not one of our forms
    out = reader.http.post("/logout", headers={**kept, "Origin": str(reader.http.base_url).rstrip("/")})
    assert out.status_code == 303
    assert "max-age=0" in out.headers["set-cookie"].lower()
    reader.http.cookies.clear()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "10.0.0.1:8000"])
def test_a_foreign_host_is_refused_with_the_right_token_too(reader: Client, host: str) -> None:
    answer = reader.http.get("/api/runs", headers={**RIGHT, "Host": host})
    assert answer.status_code in (400, 421)
    assert "runs" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "localhost:9", "127.0.0.1", "[::1]:8000", "LOCALHOST:80"])
def test_names_of_this_machine_are_served_on_any_port(reader: Client, host: str) -> None:
    assert reader.http.get("/api/runs", headers={**RIGHT, "Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "file://", "http://["])
def test_a_request_from_another_site_is_refused(reader: Client, origin: str) -> None:
    for method in ("GET", "POST"):
        answer = reader.http.request(method, "/api/runs", headers={**RIGHT, "Origin": origin})
        assert answer.status_code == 403, method


def test_a_body_that_is_too_large_is_refused_told_or_not(reader: Client) -> None:
    large = b'{"overrides": ["' + b"x" * 70_000 + b'"]}'
    told = reader.http.post("/api/runs", content=large, headers=RIGHT)
    untold = reader.http.post("/api/runs", content=iter([large[:40_000], large[40_000:]]), headers=RIGHT)
    assert (told.status_code, untold.status_code) == (413, 413)


@pytest.mark.parametrize("length", ["-1", "many", "99999999999999999999"])
def test_a_length_that_is_none_is_refused(reader: Client, length: str) -> None:
    url = reader.http.base_url
    with socket.create_connection((url.host, url.port), timeout=10) as raw:
        raw.sendall(
            f"POST /api/runs HTTP/1.1\r\nHost: {url.host}:{url.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
            f"Content-Length: {length}\r\n\r\n".encode()
        )
        assert raw.recv(100).split()[1] in (b"400", b"413")


def test_a_body_that_does_not_come_is_not_waited_for_for_ever(reader: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_BODY_S", 0.3)
    url = reader.http.base_url
    with socket.create_connection((url.host, url.port), timeout=30) as raw:
        raw.sendall(
            f"POST /api/runs HTTP/1.1\r\nHost: {url.host}:{url.port}\r\nAuthorization: Bearer {TOKEN}\r\n"
            "Content-Length: 20\r\n\r\n{".encode()
        )
        assert raw.recv(100).split()[1] == b"408"


@pytest.mark.parametrize(
    "path",
    [
        "/api/runs/..%2f..%2f..%2fetc%2fpasswd",
        "/api/runs/%2e%2e/summary",
        "/sweeps/..%2f..%2fetc/figures/passwd",
        "/static/..%2f..%2frouter.py",
        "/static/%2e%2e/router.py",
        "/sweeps/{id}/figures/..%2fsweep.json",
        "/sweeps/{id}/figures/%2fetc%2fpasswd",
    ],
)
def test_no_path_leads_out_of_the_root(reader: Client, path: str) -> None:
    run_id = reader.get("/api/runs").json()["runs"][0]["run_id"]
    answer = reader.get(path.replace("{id}", run_id))
    assert answer.status_code == 404
    assert "root:" not in answer.text


def test_links_that_lead_out_of_the_root_are_not_followed(
    client: Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.png"
    outside.write_bytes(b"not for you")
    run_id = client.start("x=1,2")
    folder = client.folder / client.end_of(run_id)["artifact_path"]
    (folder / "figures").mkdir(exist_ok=True)
    (folder / "figures" / "far.png").symlink_to(outside)
    (folder / "1" / "output.log").unlink()
    (folder / "1" / "output.log").symlink_to(outside)
    assert client.get(f"/sweeps/{run_id}/figures/far.png").status_code == 404
    assert client.get(f"/api/runs/{run_id}/logs?job=1").status_code == 404


@pytest.mark.parametrize(
    ("overrides", "status"),
    [
        (["hydra.run.dir=/etc"], 403),
        (["+hydra.callbacks.x=1"], 403),
        (["hydra/launcher=basic"], 403),
        (["x@hydra.launcher=1"], 403),
        (["~hydra.job"], 403),
        (["+runyard=record"], 403),
        (["x.y._target_=os.system"], 403),
        (["+x={a: [{_target_: os.system}]}"], 403),
        (["x=1,{_target_:os.system}"], 403),
        (["x=${oc.env:HOME}"], 403),
        (["x='${oc.env:HOME}'"], 403),
        (["x=[1,{a: '${ oc.env:HOME}'}]"], 403),
        (["+db=../../etc/passwd"], 403),
        (["--multirun"], 400),
        (["-cd", "/etc"], 400),
        (["x=1\nhydra.run.dir=/etc"], 400),
        (["x="] * 201, 422),
        (["=" * 10], 400),
    ],
)
def test_overrides_that_do_more_than_set_parameters_are_refused(
    reader: Client, overrides: list[str], status: int
) -> None:
    answer = reader.post("/api/runs", {"overrides": overrides})
    assert answer.status_code == status, answer.text
    assert reader.get("/api/runs").json()["total"] == 1


def test_what_the_operator_allows_is_allowed(tmp_path: Path, ran: Path) -> None:
    with listening(settings_of(ran, allow=("hydra.job.name",))) as client:
        allowed = client.post("/api/runs", {"overrides": ["hydra.job.name=other", "nope=1"]})
        refused = client.post("/api/runs", {"overrides": ["hydra.job.names=other"]})
        assert (allowed.status_code, refused.status_code) == (400, 403)


def test_a_mistake_of_the_server_is_told_without_a_traceback(reader: Client, capsys: Any) -> None:
    run_id = reader.get("/api/runs").json()["runs"][0]["run_id"]
    folder = reader.folder / reader.get(f"/api/runs/{run_id}").json()["artifact_path"]
    kept = (folder / "sweep.json").read_bytes()
    with listening(settings_of(reader.folder)) as other:
        assert other.get(f"/api/runs/{run_id}").status_code == 200
        (folder / "sweep.json").write_bytes(b"\xff\xfe nonsense")
        try:
            answers = [other.get(f"/api/runs/{run_id}{path}") for path in ("", "/jobs", "/summary")]
        finally:
            (folder / "sweep.json").write_bytes(kept)
    assert not [answer for answer in answers if "Traceback" in answer.text or answer.status_code not in (200, 404, 500)]


def test_every_answer_says_what_a_browser_may_do_with_it(reader: Client) -> None:
    for path in ("/api/runs", "/login", "/static/page.js", "/api/nothing"):
        headers = reader.get(path).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
        assert headers["referrer-policy"] == "same-origin", path
    assert "default-src 'self'" in reader.get("/").headers["content-security-policy"]


def test_a_token_is_made_in_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "token"
    made = read_token(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_token(path) == made
    assert made != new_token()
    assert is_same(made, made)
    assert not is_same(made + "x", made)
    assert not is_same("ä\udcff", made)


@pytest.mark.parametrize(
    ("text", "mode"), [("short\n", 0o600), ("long enough, but readable by all", 0o644), ("", 0o600)]
)
def test_a_token_that_is_none_is_refused(tmp_path: Path, text: str, mode: int) -> None:
    path = tmp_path / "token"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(UsageError, match="token"):
        read_token(path)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_a_server_without_a_token_listens_on_loopback_only(host: str) -> None:
    with pytest.raises(UsageError, match="without a token"):
        ServeSettings(host=host, token=None)
    assert ServeSettings(host="127.0.0.1", token=None).host_names == {"localhost", "127.0.0.1", "[::1]"}


def test_without_a_token_hosts_and_origins_are_looked_at_all_the_same(ran: Path) -> None:
    with listening(settings_of(ran, token=None)) as client:
        assert client.http.get("/").status_code == 200
        assert client.http.get("/api/runs", headers={"Host": "evil.example"}).status_code == 421
        assert client.http.post("/api/runs", json={}, headers={"Origin": "https://evil.example"}).status_code == 403


def test_a_further_name_of_the_server_is_served(ran: Path) -> None:
    with listening(settings_of(ran, hosts=("lab.example",))) as client:
        answers = [
            httpx.get(client.http.base_url.join("/api/runs"), headers={**RIGHT, "Host": host}).status_code
            for host in ("lab.example:8000", "other.example")
        ]
        assert answers == [200, 421]
