"""``runyard promote`` and ``runyard leaderboard``: what is good is kept, and seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from runyard.cli.options import find_target, json_option, print_json, roots_option
from runyard.cli.words import facts, number
from runyard.record import shown

if TYPE_CHECKING:
    from runyard.lifecycle import Promotion


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
    if as_json:
        print_json(_facts(done, dry_run))
        return
    _print(done, dry_run)


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
