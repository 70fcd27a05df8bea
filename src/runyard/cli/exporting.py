"""``runyard export``: a sweep as runs of another tracker."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runyard.base import UsageError, unknown_name
from runyard.cli.options import json_option, print_json, roots_option, sweep_argument
from runyard.registry import find_sweep

if TYPE_CHECKING:
    from runyard.export import Exported

_TARGETS = ("mlflow", "tensorboard", "wandb")


@click.command()
@sweep_argument
@click.option("--to", "target", required=True, metavar="TARGET", help="mlflow, tensorboard or wandb.")
@click.option(
    "--tracking-uri", metavar="URI", help="mlflow: where to.  [default: MLFLOW_TRACKING_URI, or MLflow's own]"
)
@click.option(
    "--experiment", metavar="NAME", help="mlflow: its experiment; wandb: its project.  [default: the sweep's]"
)
@click.option("--out", type=click.Path(path_type=Path), help="tensorboard, wandb: folder.  [default: the sweep's own]")
@roots_option
@json_option
def export(
    sweep: str,
    target: str,
    tracking_uri: str | None,
    experiment: str | None,
    out: Path | None,
    roots: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Export a sweep to MLflow, TensorBoard or Weights & Biases: params, metrics, step metrics, states.

    Jobs that have not ended are left out. Export again for them: nothing is there twice.
    """
    if target not in _TARGETS:
        raise unknown_name("target", target, _TARGETS, where="--to")
    _refuse_foreign(target, {"--tracking-uri": tracking_uri, "--experiment": experiment, "--out": out})
    from runyard.export import export_mlflow, export_tensorboard, export_wandb

    sweep_dir = find_sweep(sweep, roots)
    if target == "mlflow":
        done = export_mlflow(sweep_dir, tracking_uri=tracking_uri, experiment=experiment)
    elif target == "tensorboard":
        done = export_tensorboard(sweep_dir, out=out)
    else:
        done = export_wandb(sweep_dir, out=out, project=experiment)
    print_json(dataclasses.asdict(done)) if as_json else _print(done)


_OPTIONS = {"mlflow": {"--tracking-uri", "--experiment"}, "tensorboard": {"--out"}, "wandb": {"--experiment", "--out"}}


def _refuse_foreign(target: str, given: dict[str, str | Path | None]) -> None:
    """Raises UsageError for an option that the target does not have."""
    for name, value in given.items():
        if value is not None and name not in _OPTIONS[target]:
            raise UsageError(f"--to {target} has no {name}", todo="leave it out")


def _print(done: Exported) -> None:
    kept = f", {len(done.kept)} there already" if done.kept else ""
    click.echo(f"{done.target}: {len(done.written)} jobs written{kept}")
    if done.left_out:
        click.echo(f"  {len(done.left_out)} left out, which have not ended; export again when they have")
    click.echo(f"  {done.place}")
    if done.target == "tensorboard":
        click.echo(f"  tensorboard --logdir {done.place}")
    if done.target == "wandb":
        click.echo(f"  to send it: wandb sync {done.place}/offline-run-*")
