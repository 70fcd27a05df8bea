"""``runyard promote`` and ``runyard leaderboard``: what is good is kept, and seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runyard.base import State, UsageError, unknown_name
from runyard.cli.options import find_target, json_option, print_json, roots_option
from runyard.cli.words import facts, number, table, terminal_width
from runyard.record import shown

if TYPE_CHECKING:
    from runyard.lifecycle import Leaderboard, Promotion, Subject

_MOST_METRICS = 4


@click.command()
@click.argument("run", metavar="SWEEP/JOB")
@click.option("--name", help="Name of the config.  [default: the experiment's]")
@click.option(
    "--conf-dir",
    type=click.Path(path_type=Path),
    default=Path("conf"),
    show_default=True,
    help="The application's config directory.",
)
@click.option("--require", multiple=True, metavar="'METRIC < NUMBER'", help="What must hold besides; can be repeated.")
@click.option("--force", is_flag=True, help="Replace a config of that name.")
@click.option("--no-trial", is_flag=True, help="Do not start the application to see that the config composes.")
@click.option("--dry-run", is_flag=True, help="Check everything and show the config; write nothing.")
@click.option(
    "--leaderboard", "board", type=click.Path(path_type=Path), help="Also put it into this leaderboard, as champion."
)
@roots_option
@json_option
def promote(
    run: str,
    name: str | None,
    conf_dir: Path,
    require: tuple[str, ...],
    force: bool,
    no_trial: bool,
    dry_run: bool,
    board: Path | None,
    roots: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Make the exact config of a run that passed its gates a config of the application: +production=NAME.

    Refuses, with the reason: gates that failed or were never judged, a job that is not COMPLETED, a name that is
    taken, a run whose config or code cannot be had again.
    """
    from runyard.lifecycle import promote as promote_run  # loads Hydra

    sweep_dir, job = find_target(run, roots)
    done = promote_run(
        sweep_dir,
        job,
        conf_dir=conf_dir,
        name=name,
        require=require,
        force=force,
        dry_run=dry_run,
        trial=not no_trial,
    )
    if board is not None and not dry_run:
        _add_champion(board, sweep_dir, job, done)
    if as_json:
        print_json(_facts(done, dry_run))
        return
    _print(done, dry_run)


def _add_champion(board: Path, sweep_dir: Path, job: int | None, done: Promotion) -> None:
    from runyard.lifecycle import add_to_leaderboard, entry_of, subject_of

    config = f"production/{done.champion.name}"
    add_to_leaderboard(board, [entry_of(subject_of(sweep_dir, job), label="champion", config=config)])


def _facts(done: Promotion, dry_run: bool) -> dict[str, object]:
    champion = done.champion
    return {
        "name": champion.name,
        "path": str(done.path),
        "run": f"{champion.sweep_id}/{champion.job}",
        "run_key": champion.run_key,
        "commit": champion.commit,
        "metrics": dict(champion.metrics),
        "gates": champion.gates,
        "use": done.use,
        "replaced": None if done.before is None else f"{done.before.sweep_id}/{done.before.job}",
        "written": not dry_run,
    }


def _print(done: Promotion, dry_run: bool) -> None:
    champion, before = done.champion, done.before
    click.echo(f"{'would promote' if dry_run else 'promoted'} {champion.sweep_id}/{champion.job} as {champion.name}")
    metrics = ", ".join(f"{key}={number(value)}" for key, value in champion.metrics.items())
    replaced = "" if before is None else f"{before.sweep_id}/{before.job}, of {before.promoted_at[:10]}"
    pairs = [
        ("gates", champion.gates),
        ("metrics", metrics),
        ("commit", (champion.commit or "")[:12]),
        ("replaces", replaced),
        ("config", shown(done.path)),
        ("use it", done.use),
    ]
    click.echo(facts(pairs))
    if dry_run:
        click.echo("\n" + done.text.rstrip())


@click.command()
@click.argument("targets", metavar="[SWEEP[/JOB]]...", nargs=-1)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("leaderboard.csv"), show_default=True, help="The CSV."
)
@click.option("--md", type=click.Path(path_type=Path), help="Also write it as Markdown.")
@click.option(
    "--label",
    type=click.Choice(["small_eval", "full_eval", "champion"]),
    help="What was evaluated.  [default: full_eval]",
)
@click.option("--notes", help="A remark on these runs.  [default: the sweep's note]")
@click.option("--tag", "tags", multiple=True, help="A tag besides the sweep's; can be repeated.")
@click.option("--metric", help="Show the best by this first.")
@click.option("--mode", type=click.Choice(["max", "min"]), default="max", show_default=True, help="Which way is best.")
@roots_option
@json_option
def leaderboard(
    targets: tuple[str, ...],
    out: Path,
    md: Path | None,
    label: str | None,
    notes: str | None,
    tags: tuple[str, ...],
    metric: str | None,
    mode: str,
    roots: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Add completed runs to a leaderboard, and show it; without any run only show it.

    A run that is there already is brought up to date, so that adding twice is adding once. Columns that you add to the
    CSV stay.
    """
    from runyard.lifecycle import add_to_leaderboard, entry_of, read_leaderboard

    subjects = [subject for target in targets for subject in _completed(target, roots)]
    entries = [entry_of(subject, label=label, notes=notes, tags=tags) for subject in subjects]
    if entries or md is not None:
        added = add_to_leaderboard(out, entries, markdown=md)
        board = added.board
        click.echo(f"{shown(out)}: {added.new} new, {added.changed} changed, {len(board.rows)} in all", err=True)
    else:
        board = read_leaderboard(out)
    _show(board, metric, mode, as_json)


def _completed(target: str, roots: tuple[Path, ...]) -> list[Subject]:
    """The completed runs of a sweep, or the one that is named."""
    from runyard.lifecycle import subject_of, subjects_of

    sweep_dir, job = find_target(target, roots)
    found = subjects_of(sweep_dir) if job is None else [subject_of(sweep_dir, job)]
    completed = [subject for subject in found if subject.run.state is State.COMPLETED]
    if not completed:
        raise UsageError(
            "no run of it is COMPLETED", where=target, todo="only completed runs have a place on the board"
        )
    return completed


def _show(board: Leaderboard, metric: str | None, mode: str, as_json: bool) -> None:
    from runyard.lifecycle import sorted_rows

    if metric is not None and metric not in board.metrics:
        raise unknown_name("metric", metric, board.metrics, where="--metric")
    rows = list(board.rows) if metric is None else sorted_rows(board, metric, mode)
    if as_json:
        print_json(rows)
        return
    if not rows:
        click.echo("the leaderboard is empty; add a run: runyard leaderboard SWEEP/JOB")
        return
    names = [metric] if metric is not None else []
    names += [name for name in board.metrics if name != metric]
    shown_metrics = names[:_MOST_METRICS]
    head = ["RUN", "LABEL", *shown_metrics, "CONFIG"]
    lines = [
        [row["run_id"], row["label"], *(_digits(row[f"metric:{name}"]) for name in shown_metrics), row["config"]]
        for row in rows
    ]
    right = frozenset(range(2, 2 + len(shown_metrics)))
    click.echo(table(head, lines, width=terminal_width(), right=right))
    if len(names) > _MOST_METRICS:
        click.echo(f"... and {len(names) - _MOST_METRICS} more metrics in the file")


def _digits(text: str) -> str:
    try:
        return number(float(text))
    except ValueError:
        return text or "-"
