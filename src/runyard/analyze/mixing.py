"""Mixing: what is looked at of each run of a sweep, to tell what they mix. Reads records, and the ends of tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from runyard.analyze.cells import cell_text, level
from runyard.analyze.groups import group_index
from runyard.analyze.jobtable import JobTable
from runyard.analyze.mixture import MixedRun, MixtureKind, mixtures_among
from runyard.analyze.origin import Origins
from runyard.analyze.steps import last_steps
from runyard.base import State
from runyard.record import RunPaths, RunRecord


def mixed_runs(
    runs: Sequence[RunRecord],
    table: JobTable,
    *,
    sweep_dir: Path,
    swept: Sequence[str],
    config: Mapping[str, str] | None = None,
) -> list[MixedRun]:
    """What is looked at of each run of one sweep; its cell is that of the summary.

    Args:
        runs: in order.
        table: their job table.
        sweep_dir: the sweep.
        swept: names whose values are declared to differ.
        config: settings that all jobs of the sweep have in common, by key; for comparison with another sweep.
    """
    _, cells = group_index(table, [name for name in table.names if not table.is_seed(name)])
    origins = Origins(sweep_dir, {name.lstrip("+") for name in swept}, config)
    return [_looked_at(run, int(cell), origins) for run, cell in zip(runs, cells, strict=True)]


def _looked_at(run: RunRecord, cell: int, origins: Origins) -> MixedRun:
    is_done = run.state is State.COMPLETED
    return MixedRun(
        number=run.job,
        state=run.state,
        cell=cell,
        is_damaged=is_damaged(run),
        origin=origins.of(run) if is_done else None,
        steps=last_steps(Path(run.run_dir)) if is_done else {},
    )


def is_damaged(run: RunRecord) -> bool:
    """Whether a job counts as PENDING although its folder has a record: that one could not be read."""
    return run.state is State.PENDING and not run.attempts and RunPaths(Path(run.run_dir)).run_json.exists()


def kinds_by_group(runs: Sequence[MixedRun], index: Sequence[int], size: int) -> list[tuple[MixtureKind, ...]]:
    """The kinds that the runs of each group mix; ``index`` names the group of each run."""
    groups: list[list[MixedRun]] = [[] for _ in range(size)]
    for run, group in zip(runs, index, strict=True):
        groups[group].append(run)
    return [tuple(mixture.kind for mixture in mixtures_among(group)) for group in groups]


def unplanned_seeds(table: JobTable) -> dict[str, int]:
    """Seeds that some cells lack, with the number of those cells; empty where cells have each their own seeds.

    That a seed was forgotten is believed when more than half of the cells have all of them.
    """
    seeds = [name for name in table.names if table.is_seed(name)]
    if len(seeds) != 1:
        return {}
    keys, index = group_index(table, [name for name in table.names if not table.is_seed(name)])
    given: list[dict[object, str]] = [{} for _ in keys]
    for cell, seed in zip(index, table.columns[seeds[0]], strict=True):
        given[cell][level(seed)] = f"{seeds[0].lstrip('+')} {cell_text(seed)}"
    every = {seed: label for cell in given for seed, label in cell.items()}
    if 2 * sum(len(cell) == len(every) for cell in given) <= len(given):
        return {}
    lacking = Counter(label for cell in given for seed, label in every.items() if seed not in cell)
    return dict(lacking)
