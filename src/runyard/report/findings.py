"""What came out of a sweep, in sentences and tables: states, extremes, levels, failures. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from runyard.analyze import Axis, Group, LoadedSweep, cell_text, groups_of, level
from runyard.base import State
from runyard.record import count_states
from runyard.report.failures import Cause, causes_of
from runyard.report.layout import choose_layout
from runyard.report.origin import code
from runyard.report.wording import count, interval, job_ranges, level_labels, listing, number, short_names, shorten

_LEVELS_AT_MOST = 12
_METRICS_AT_MOST = 12
_CAUSES_AT_MOST = 20


def states_sentence(loaded: LoadedSweep) -> str:
    """``All 48 jobs completed.`` or ``40 of 48 jobs completed; 6 are FAILED and 2 are TIMEOUT.``."""
    counts = count_states(loaded.runs)
    total = len(loaded.runs)
    done = counts.pop(State.COMPLETED.value, 0)
    if not total:
        return "There are no jobs."
    if not counts:
        return f"All {total:,} jobs completed." if total > 1 else "It completed."
    others = listing(f"{k:,} {'is' if k == 1 else 'are'} {state}" for state, k in counts.items())
    return f"{done:,} of {count(total, 'job')} completed; {others}."


def extremes(loaded: LoadedSweep, metric: str) -> str:
    """The highest and the lowest mean with their settings, averaged over seeds and replicates."""
    settings = [axis for axis in loaded.axes if axis.varies and axis.role == "setting"]
    replicates = [axis for axis in loaded.axes if axis.varies and axis.role == "replicate"]
    settings, replicates = (settings, replicates) if settings else (replicates, [])
    groups = _finite(groups_of(loaded.table, [axis.name for axis in settings], metric))
    if not groups:
        return f"No completed job has a finite {code(metric)}."
    high, low = max(groups, key=lambda g: g.mean), min(groups, key=lambda g: g.mean)
    over = _averaged_over(loaded, replicates)
    if len(groups) == 1:
        return _one_group(metric, high, over)
    if high.mean == low.mean:
        return f"{code(metric)} was {number(high.mean)} in all {len(groups):,} combinations{over}."
    text = f"{code(metric)} was highest, {_value(high)}, with {_where(loaded, settings, high)}, and lowest,"
    text += f" {_value(low)}, with {_where(loaded, settings, low)}"
    return f"{text}{over}{_interval_note(groups)}. Whether high or low is better the data do not say."


def _one_group(metric: str, group: Group, over: str) -> str:
    if group.n == 1:
        return f"{code(metric)} came out at {number(group.mean)}."
    span = f"from {number(group.lowest)} to {number(group.highest)}, {_value(group)} in the mean"
    return f"{code(metric)} came out {span} of {count(group.n, 'job')}{over}{_interval_note([group])}."


def _value(group: Group) -> str:
    return f"**{interval(group.mean, group.ci95)}**"


def _averaged_over(loaded: LoadedSweep, replicates: Sequence[Axis]) -> str:
    seeds = [axis for axis in loaded.axes if axis.varies and axis.role == "seed"]
    over = [f"the {count(len(axis.values), 'value')} of {code(axis.name)}" for axis in replicates]
    over += [f"the {count(len(axis.values), 'seed')}" for axis in seeds]
    return f", averaged over {listing(over)}" if over else ""


def _interval_note(groups: Iterable[Group]) -> str:
    return " (± is Student's 95 % interval of the mean)" if any(math.isfinite(g.ci95) for g in groups) else ""


def _where(loaded: LoadedSweep, settings: Sequence[Axis], group: Group) -> str:
    names = short_names(loaded.names)
    pairs = []
    for axis, cell in zip(settings, group.key, strict=True):
        pairs.append(f"{names[axis.name]}={shorten(level_labels(axis.values)[level(cell)], 40)}")
    return code(", ".join(pairs))


def effects(loaded: LoadedSweep, metric: str) -> str:
    """How far the mean moves over each axis' levels, the strongest first; nothing for one axis, or without a grid."""
    shown = [
        (axis, means) for axis in _grid_axes(loaded, metric) if len(means := _level_groups(loaded, axis, metric)) > 1
    ]
    if len(shown) < 2:
        return ""
    names = short_names(loaded.names)
    said = []
    for axis, groups in sorted(shown, key=lambda pair: _spread(pair[1])):
        texts = level_labels(axis.values)
        ends = (min(groups, key=lambda g: g.mean), max(groups, key=lambda g: g.mean))
        low, high = (f"{number(g.mean)} ({code(f'{names[axis.name]}={texts[level(g.key[0])]}')})" for g in ends)
        said.append(f"from {low} to {high}" if ends[0].mean != ends[1].mean else f"not at all over {code(axis.name)}")
    return f"Averaged over all else, mean {code(metric)} moves, strongest first, {'; '.join(said)}."


def _spread(groups: Sequence[Group]) -> float:
    return min(g.mean for g in groups) - max(g.mean for g in groups)


def _grid_axes(loaded: LoadedSweep, metric: str) -> list[Axis]:
    """The axes over whose levels a mean says something: none when values were sampled."""
    varying = [axis for axis in loaded.axes if axis.varies and axis.role != "seed"]
    settings = [axis.name for axis in varying if axis.role == "setting"]
    layout = choose_layout(loaded.axes, len(groups_of(loaded.table, settings, metric)))
    return [] if layout.kind in ("scatter", "configs") else varying


def _level_groups(loaded: LoadedSweep, axis: Axis, metric: str) -> list[Group]:
    """A group per level, in the axis' order."""
    groups = {level(group.key[0]): group for group in groups_of(loaded.table, [axis.name], metric)}
    return _finite(groups[level(value)] for value in axis.values)


def _finite(groups: Iterable[Group]) -> list[Group]:
    return [group for group in groups if math.isfinite(group.mean)]


def level_table(loaded: LoadedSweep, metric: str) -> str:
    """A Markdown table: a row per level of each axis of a grid, axes of many levels left out."""
    rows = []
    for axis in _grid_axes(loaded, metric):
        if len(axis.values) <= _LEVELS_AT_MOST:
            texts = level_labels(axis.values)
            rows += [_level_row(axis, texts[level(g.key[0])], g) for g in _level_groups(loaded, axis, metric)]
    return markdown_table(["axis", "value", "jobs", f"mean {code(metric)}", "lowest", "highest"], rows) if rows else ""


def _level_row(axis: Axis, label: str, group: Group) -> list[str]:
    said = label if axis.kind == "numeric" else code(shorten(label, 40))
    return [code(axis.name), said, f"{group.n:,}", *map(number, (group.mean, group.lowest, group.highest))]


def metric_table(loaded: LoadedSweep) -> str:
    """A Markdown table: a row per metric over all COMPLETED jobs; nothing for a single metric."""
    rows = []
    for metric in loaded.metrics[:_METRICS_AT_MOST]:
        group = next(iter(groups_of(loaded.table, [], metric)), None)
        if group is not None and group.n:
            rows.append([code(metric), f"{group.n:,}", *map(number, (group.mean, group.lowest, group.highest))])
    return markdown_table(["metric", "jobs", "mean", "lowest", "highest"], rows) if len(loaded.metrics) > 1 else ""


def left_out_sentence(loaded: LoadedSweep) -> str:
    """For which metrics completed jobs reported no finite number; empty when none."""
    found = {metric: next(iter(groups_of(loaded.table, [], metric)), None) for metric in loaded.metrics}
    said = [f"{count(g.left_out, 'job')} for {code(m)}" for m, g in found.items() if g is not None and g.left_out]
    return f"NaN or infinity was reported by {listing(said)}, and is left out of every mean." if said else ""


def failure_lines(loaded: LoadedSweep) -> list[str]:
    """A Markdown list item per cause, with its jobs and where to read on."""
    causes = causes_of(loaded.runs)
    folders = {run.job: cell_text(n) for run, n in zip(loaded.runs, loaded.table.columns["run_dir"], strict=True)}
    lines = [_failure_line(cause, folders[cause.jobs[0]]) for cause in causes[:_CAUSES_AT_MOST]]
    rest = causes[_CAUSES_AT_MOST:]
    if rest:
        lines.append(f"- {count(len(rest), 'more cause')}, of {count(sum(len(c.jobs) for c in rest), 'job')}")
    return lines


def _failure_line(cause: Cause, run_dir: str) -> str:
    why = f", {code(cause.why)}" if cause.why else ""
    jobs = f"job {cause.jobs[0]}" if len(cause.jobs) == 1 else f"{len(cause.jobs):,} jobs ({job_ranges(cause.jobs)})"
    log = "output.log" if run_dir in ("", ".") else f"{run_dir}/output.log"
    return f"- {cause.state}{why}: {jobs}; {'see' if len(cause.jobs) == 1 else 'for the first see'} {code(log)}"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; columns but for the first are aligned to the right."""
    rules = ["---" if not number_ else "---:" for number_ in range(len(header))]
    lines = [header, rules, *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
