"""``runyard serve``: the HTTP API and the page."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from runyard.base import UsageError
from runyard.cli.options import roots_option


@click.command()
@click.option("--app", metavar="MODULE|SCRIPT", help="What sweeps are started of.  [default: they are only looked at]")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, help="0 takes a free one.")
@click.option("--token-file", type=click.Path(path_type=Path), help="Where the token is kept; made when missing.")
@click.option("--no-token", is_flag=True, help="Ask nobody for a token; on the loopback address only.")
@click.option("--fields", type=click.Path(path_type=Path), help="YAML: names of your own in the body of a start.")
@click.option("--allow", multiple=True, metavar="PATTERN", help="Override keys that clients may set nevertheless.")
@click.option("--allow-host", multiple=True, metavar="NAME", help="A further name of this server.")
@click.option("--max-jobs", default=10_000, show_default=True, help="Of a sweep that is started here.")
@click.option("--max-running", default=4, show_default=True, help="Sweeps at work at a time.")
@click.option("--max-body-kb", default=64, show_default=True, help="Of a request.")
@roots_option
def serve(
    app: str | None,
    host: str,
    port: int,
    token_file: Path | None,
    no_token: bool,
    fields: Path | None,
    allow: tuple[str, ...],
    allow_host: tuple[str, ...],
    max_jobs: int,
    max_running: int,
    max_body_kb: int,
    roots: tuple[Path, ...],
) -> None:
    """Serve sweeps over HTTP: an API, and pages for a browser.

    What is started runs in processes of its own: the server may end, and be started again. The token is printed
    once, unless it is kept in a file of yours.
    """
    if no_token and token_file is not None:
        raise UsageError("--no-token and --token-file contradict each other", todo="leave one of them out")
    try:
        from runyard.serve import Fields, ServeSettings, new_token, read_fields, read_token, run_server
    except ImportError as exc:
        raise UsageError(
            f"the service needs a package that is not there ({exc.name})", todo="pip install 'runyard[serve]'"
        ) from exc
    token = None if no_token else read_token(token_file) if token_file is not None else new_token()
    settings = ServeSettings(
        app=app,
        host=host,
        port=port,
        roots=roots,
        token=token,
        hosts=allow_host,
        allow=allow,
        fields=read_fields(fields) if fields is not None else Fields(),
        most_jobs=max_jobs,
        most_running=max_running,
        most_body_bytes=max_body_kb * 1024,
    )
    run_server(settings, lambda address: _tell(address, token, token_file))


def _tell(address: str, token: str | None, kept: Path | None) -> None:
    """Where the page is, and the token: the only time that it is shown."""
    if token is None:
        click.echo(f"{address}  (nobody is asked for a token)")
    elif kept is not None:
        click.echo(f"{address}  (the token is in {kept})")
    else:
        click.echo(f"page   {address}/login?token={token}")
        click.echo(f"api    {address}/api/runs")
        click.echo(f"token  {token}")
    click.echo("Ctrl-C ends the server; sweeps go on", err=True)
    sys.stdout.flush()
