"""``runyard tag`` and ``runyard note``: a person's words on a sweep."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runyard.base import UsageError
from runyard.cli.options import json_option, print_json, roots_option
from runyard.record import read_sweep
from runyard.registry import find_sweep, root_of

if TYPE_CHECKING:
    from runyard.lifecycle import Annotation


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.argument("sweep")
@click.argument("changes", metavar="[+TAG|-TAG]...", nargs=-1)
@roots_option
@json_option
def tag(sweep: str, changes: tuple[str, ...], roots: tuple[Path, ...], as_json: bool) -> None:
    """Give a sweep tags, or take some; without any, show those that it has.

    The tag 'keep' protects a sweep from 'runyard rm' and from being archived by age or status.
    """
    from runyard.lifecycle import tag_sweep  # loads Hydra

    if "-h" in (sweep, *changes):  # not an option of this command: "-hot" would be taken for -h -o -t
        click.echo(click.get_current_context().get_help())
        return
    sweep_dir = find_sweep(sweep, roots)
    for word in changes:
        if word.startswith("--"):
            raise UsageError(f"{word!r} is neither a tag nor an option", where="runyard tag", todo="+TAG or -TAG")
    record = read_sweep(sweep_dir)
    if changes:
        done = tag_sweep(sweep_dir, changes, root=root_of(sweep_dir, roots))
        record = done.record
        _warn(done)
    if as_json:
        print_json({"sweep_id": record.sweep_id, "tags": list(record.tags)})
    else:
        click.echo(f"{record.sweep_id}: {', '.join(record.tags) or 'no tags'}")


@click.command()
@click.argument("sweep")
@click.argument("text", required=False)
@roots_option
@json_option
def note(sweep: str, text: str | None, roots: tuple[Path, ...], as_json: bool) -> None:
    """Give a sweep a note; without TEXT open an editor on it. An empty TEXT ('') takes the note away.

    Where there is no terminal, and no TEXT, the note is shown.
    """
    from runyard.lifecycle import note_sweep  # loads Hydra

    sweep_dir = find_sweep(sweep, roots)
    record = read_sweep(sweep_dir)
    if text is None and not as_json and sys.stdin.isatty() and sys.stdout.isatty():
        text = click.edit(record.note)
    if text is not None:
        done = note_sweep(sweep_dir, text, root=root_of(sweep_dir, roots))
        record = done.record
        _warn(done)
    if as_json:
        print_json({"sweep_id": record.sweep_id, "note": record.note})
    else:
        click.echo(f"{record.sweep_id}: {record.note or 'no note'}")


def _warn(done: Annotation) -> None:
    if done.trouble:
        click.echo(f"the registry was not updated ({done.trouble}); 'runyard reindex' does it later", err=True)
