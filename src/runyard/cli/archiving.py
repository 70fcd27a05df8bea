"""``runyard archive``, ``restore`` and ``rm``: what is done with is put away, brought back, or freed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from runyard.base import UsageError, utc_now
from runyard.cli.options import find_target, json_option, print_json, roots_option
from runyard.cli.words import count, table, terminal_width
from runyard.record import shown
from runyard.registry import find_sweep, root_of

if TYPE_CHECKING:
    from runyard.lifecycle import Limits, Move, Removal

_conf_dir = click.option(
    "--conf-dir",
    type=click.Path(path_type=Path),
    default=Path("conf"),
    show_default=True,
    help="The application's config directory, whose champions are kept.",
)
_dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
_SHOWN = 5


class _Target(NamedTuple):
    sweep_dir: Path
    root: Path | None


@click.command()
@click.argument("sweeps", metavar="[SWEEP]...", nargs=-1)
@click.option(
    "--status",
    type=click.Choice(["active", "success", "failed", "stale", "all"]),
    help="Those in this status; all: those that are not active.",
)
@click.option("--older-than", metavar="AGE", help="Those that ended longer ago: 12h, 30d, 2w.")
@click.option("--keep-best", type=click.IntRange(min=1), metavar="N", help="Spare the best N of each experiment.")
@click.option("--metric", help="What --keep-best goes by: the best value of any job.")
@click.option("--mode", type=click.Choice(["max", "min"]), default="max", show_default=True, help="Which way is best.")
@click.option("--drop", multiple=True, metavar="PATTERN", help="Delete files like this: '*.pt', 'checkpoints'.")
@click.option("--keep", multiple=True, metavar="PATTERN", help="Keep files like this, whatever --drop says.")
@click.option("--max-active-days", type=float, default=7.0, show_default=True, help="So long a sweep is active.")
@click.option("--max-stale-days", type=float, default=30.0, show_default=True, help="Then what is undone is stale.")
@click.option("--to", type=click.Path(path_type=Path), help="The archive.  [default: multirun-archive beside multirun]")
@_conf_dir
@_dry_run
@roots_option
@json_option
def archive(
    sweeps: tuple[str, ...],
    status: str | None,
    older_than: str | None,
    keep_best: int | None,
    metric: str | None,
    mode: str,
    drop: tuple[str, ...],
    keep: tuple[str, ...],
    max_active_days: float,
    max_stale_days: float,
    to: Path | None,
    conf_dir: Path,
    dry_run: bool,
    roots: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Move sweeps out of the way, into an archive: those that are named, or all that fit.

    Records always go along; heavy files can be dropped by pattern. 'runyard restore' brings a sweep back, and
    'runyard ls --root multirun-archive' looks into the archive. A sweep that is running is refused.
    """
    from runyard.lifecycle import Limits, archive_sweep  # loads Hydra

    limits = Limits(active_days=max_active_days, stale_days=max_stale_days)
    filters = (status, older_than, keep_best)
    if sweeps and any(value is not None for value in filters):
        raise UsageError("either name sweeps, or say which fit", where="SWEEP", todo="leave one of the two out")
    if not sweeps and all(value is None for value in filters):
        raise UsageError("which sweeps?", todo="name them, or say --status all, --older-than 30d or --keep-best N")
    spared: list[str] = []
    if sweeps:
        chosen = _named(sweeps, roots)
    else:
        chosen, spared = _fitting(status, older_than, (keep_best or 0, metric, mode), limits, roots)
    plans = [
        archive_sweep(
            target.sweep_dir,
            root=target.root,
            to=to,
            drop=drop,
            keep=keep,
            conf_dirs=[conf_dir],
            limits=limits,
            dry_run=is_plan,
        )
        for is_plan in ((True,) if dry_run else (True, False))  # all is checked before anything moves
        for target in chosen
    ]
    moves = plans[-len(chosen) :] if chosen else []
    if as_json:
        print_json([_move_facts(move, dry_run) for move in moves])
        return
    _print_moves(moves, spared, "archive", dry_run)


def _named(references: Sequence[str], roots: Sequence[Path]) -> list[_Target]:
    found = {find_sweep(reference, roots): None for reference in references}
    return [_Target(sweep_dir, root_of(sweep_dir, roots)) for sweep_dir in found]


def _fitting(
    status: str | None,
    older_than: str | None,
    best: tuple[int, str | None, str],
    limits: Limits,
    roots: Sequence[Path],
) -> tuple[list[_Target], list[str]]:
    from runyard.lifecycle import Choice, Status, candidates, choose, parse_age

    settled = {Status.SUCCESS, Status.FAILED, Status.STALE}
    age = None if older_than is None else parse_age(older_than)
    choice = Choice(
        statuses=settled if status in (None, "all") else {Status(status)},
        older_than=age,
        keep_best=best[0],
        metric=best[1],
        mode=best[2],
    )
    now = utc_now()
    found = candidates([root for root in roots if root.is_dir()], now=now, limits=limits)
    chosen, spared = choose(found, choice, now=now)
    at_work = [c for c in chosen if c.judged.why.startswith("at work")]
    spared += [f"{c.record.sweep_id} is {c.judged.why}" for c in at_work]
    return [_Target(c.sweep_dir, c.root) for c in chosen if c not in at_work], spared


def _print_moves(moves: Sequence[Move], spared: Sequence[str], verb: str, dry_run: bool) -> None:
    for line in spared:
        click.echo(f"spared: {line}")
    if not moves:
        click.echo(f"nothing to {verb}")
        return
    rows = [
        (m.metadata.experiment, m.metadata.sweep_id, m.metadata.status, size(_dropped(m)), shown(m.target))
        for m in moves
    ]
    click.echo(
        table(("EXPERIMENT", "ID", "STATUS", "DROPPED", "TO"), rows, width=terminal_width(), right=frozenset({3}))
    )
    done = f"would {verb}" if dry_run else f"{verb}d"
    click.echo(f"{done} {count(len(moves), 'sweep')}")
    for trouble in {move.trouble for move in moves if move.trouble}:
        click.echo(f"the registry was not updated ({trouble}); 'runyard reindex' does it later", err=True)


def _dropped(move: Move) -> int:
    return sum(file.bytes for file in move.metadata.dropped)


def _move_facts(move: Move, dry_run: bool) -> dict[str, object]:
    meta = move.metadata
    return {
        "sweep_id": meta.sweep_id,
        "experiment": meta.experiment,
        "status": meta.status,
        "why": meta.why,
        "from": str(move.source),
        "to": str(move.target),
        "dropped": [{"path": file.path, "bytes": file.bytes} for file in meta.dropped],
        "done": not dry_run,
    }


@click.command()
@click.argument("sweep")
@click.option(
    "--from", "archives", multiple=True, type=click.Path(path_type=Path), help="The archive, if it is elsewhere."
)
@_dry_run
@roots_option
@json_option
def restore(sweep: str, archives: tuple[Path, ...], dry_run: bool, roots: tuple[Path, ...], as_json: bool) -> None:
    """Bring an archived sweep back to where it was. Says what was dropped, and is not to be had again."""
    from runyard.lifecycle import default_archive, restore_sweep  # loads Hydra

    places = archives or tuple(default_archive(root) for root in roots)
    archived = find_sweep(sweep, places)
    move = restore_sweep(archived, archive=root_of(archived, places), dry_run=dry_run)
    if as_json:
        print_json(_move_facts(move, dry_run))
        return
    click.echo(f"{'would restore' if dry_run else 'restored'} {move.metadata.sweep_id} to {shown(move.target)}")
    dropped = move.metadata.dropped
    if dropped:
        click.echo(f"without {count(len(dropped), 'file')} ({size(_dropped(move))}) that the archive did not keep:")
        for file in dropped[:_SHOWN]:
            click.echo(f"  {file.path}")
        if len(dropped) > _SHOWN:
            click.echo(f"  and {len(dropped) - _SHOWN} more: see {shown(move.target / 'metadata.json')}")
    if move.trouble:
        click.echo(f"the registry was not updated ({move.trouble}); 'runyard reindex' does it later", err=True)


@click.command()
@click.argument("targets", metavar="SWEEP[/JOB]...", nargs=-1, required=True)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@_conf_dir
@_dry_run
@roots_option
@json_option
def rm(
    targets: tuple[str, ...], yes: bool, conf_dir: Path, dry_run: bool, roots: tuple[Path, ...], as_json: bool
) -> None:
    """Delete sweeps, or the files of single jobs, for good; says first how much space that frees.

    What was promoted, is tagged 'keep', or is referred to by another sweep or a link stays; so does what is running.
    """
    from runyard.lifecycle import plan_removal, remove  # loads Hydra

    found = {find_target(reference, roots): None for reference in targets}
    present = _with_archives(roots)
    plans = [
        plan_removal(folder, job, root=root_of(folder, roots), roots=present, conf_dirs=[conf_dir])
        for folder, job in found
    ]
    going = [plan for plan in plans if not plan.refused]
    if as_json and (dry_run or yes):
        print_json([_removal_facts(plan, dry_run) for plan in plans])
    else:
        _print_removals(plans)
    if going and not dry_run:
        if not yes:
            click.confirm(f"delete {size(sum(plan.frees_bytes for plan in going))} for good?", abort=True)
        for plan in going:
            trouble = remove(plan)
            if trouble:
                click.echo(f"the registry was not updated ({trouble}); 'runyard reindex' does it later", err=True)
        if not as_json:
            click.echo(f"deleted, {size(sum(plan.frees_bytes for plan in going))} freed")
    if len(going) < len(plans):
        click.get_current_context().exit(1)


def _with_archives(roots: Sequence[Path]) -> list[Path]:
    """Roots with their archives, and archives with their roots: each may refer to what lies in the other."""
    from runyard.lifecycle import default_archive

    suffix = default_archive(Path("x")).name[1:]
    homes = [root.with_name(root.name.removesuffix(suffix)) for root in roots if root.name.endswith(suffix)]
    places = [place for root in (*roots, *homes) for place in (root, default_archive(root))]
    return [place for place in dict.fromkeys(places) if place.is_dir()]


def _name(plan: Removal) -> str:
    return plan.record.sweep_id if plan.job is None else f"{plan.record.sweep_id}/{plan.job}"


def _print_removals(plans: Sequence[Removal]) -> None:
    rows = [(_name(p), size(p.frees_bytes), f"stays: {p.refused}" if p.refused else shown(p.folder)) for p in plans]
    click.echo(table(("ID", "FREES", ""), rows, width=None, right=frozenset({1})))


def _removal_facts(plan: Removal, dry_run: bool) -> dict[str, object]:
    return {
        "name": _name(plan),
        "path": str(plan.folder),
        "frees_bytes": plan.frees_bytes,
        "refused": plan.refused,
        "deleted": not dry_run and not plan.refused,
    }


def size(n_bytes: int) -> str:
    """Bytes in a unit that fits: ``512 B``, ``1.5 kB``, ``3.2 GB``; powers of 1000."""
    value, unit = float(n_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
