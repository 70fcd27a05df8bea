"""The summary of a run for people, in Markdown. The same results give the same text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .config import ContestConfig
from .contests import Contest
from .rules import SLOT_NAMES
from .slate import Slate

_SHOWN_LINEUPS = 5
_SHOWN_PLAYERS = 10


def summary_text(
    cfg: ContestConfig,
    slate: Slate,
    contest: Contest,
    *,
    catalog: Mapping[str, Any],
    lineups: Sequence[Mapping[str, Any]],
    optimizer: Mapping[str, Any],
    sampled: Mapping[str, Any],
    played: Mapping[str, Any],
) -> str:
    """The text of ``export/summary.md``, from what the other stages have written."""
    head = [f"# {contest.name} on {slate.name}", ""]
    head += [f"Seed {cfg.seed}{f', tag {cfg.tag}' if cfg.tag else ''}. {len(slate)} players in "]
    head[-1] += f"{len(set(slate.games))} games; {played['entries']} entries at {contest.entry_fee / 100:.2f}, "
    head[-1] += f"{played['ours']} of them ours; {played['prize_pool']:.2f} in prizes; {played['worlds']} worlds."
    parts = [
        head,
        ["## What came out", "", *_outcome(played)],
        ["## The lineups that came out best", "", *_best(slate, lineups, played)],
        ["## Who is in them", "", *_exposures(slate, optimizer, sampled)],
        ["## How it was made", "", *_made(cfg, catalog, optimizer, sampled)],
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _outcome(played: Mapping[str, Any]) -> list[str]:
    roi, finish, duplication = played["roi"], played["finish"], played["duplication"]
    rows = [
        ("return on fees, mean", f"{_percent(roi['mean'])} ± {_percent(roi['se'], sign='')} (standard error)"),
        ("return, median and 95th percentile of the worlds", f"{_percent(roi['p50'])}, {_percent(roi['p95'])}"),
        ("standard deviation between worlds", _percent(roi["stdev"], sign="")),
        ("our entries in the first 1 %, 10 %", f"{_part(finish['p1'])}, {_part(finish['p10'])}"),
        ("our entries that win something", _part(finish["cash"])),
        ("return of all entries together", _percent(played["field_roi"])),
        ("different lineups / entries", _part(duplication["unique_fraction"])),
        ("others with our players, 95th percentile", f"{played['metrics_head']['dup_p95']:g}"),
    ]
    return _table(("", "value"), rows)


def _best(slate: Slate, lineups: Sequence[Mapping[str, Any]], played: Mapping[str, Any]) -> list[str]:
    by_id = {row["lineup_id"]: row for row in lineups}
    order = sorted(played["lineups"], key=lambda row: (-row["roi_mean"], row["lineup_id"]))[:_SHOWN_LINEUPS]
    rows = []
    for result in order:
        lineup = by_id[result["lineup_id"]]
        names = ", ".join(f"{slot} {slate.names[slate.number_of[lineup[slot]]]}" for slot in SLOT_NAMES)
        numbers = (str(lineup["lineup_id"]), _percent(result["roi_mean"]), _part(result["cash"]))
        rows.append((*numbers, str(lineup["salary"]), f"{lineup['projection']:.1f}", names))
    return _table(("lineup", "return", "cashes", "salary", "projection", "players"), rows)


def _exposures(slate: Slate, optimizer: Mapping[str, Any], sampled: Mapping[str, Any]) -> list[str]:
    rows = []
    for player_id, exposure in list(optimizer["exposures"].items())[:_SHOWN_PLAYERS]:
        player = slate.number_of[player_id]
        field = sampled["coverage"][player_id]
        name = f"{slate.names[player]} ({'/'.join(slate.positions[player])}, {slate.teams[player]})"
        rows.append((name, _part(exposure), _part(field), _part(float(slate.ownerships[player]))))
    return _table(("player", "our lineups", "all entries", "projected ownership"), rows)


def _made(
    cfg: ContestConfig, catalog: Mapping[str, Any], optimizer: Mapping[str, Any], sampled: Mapping[str, Any]
) -> list[str]:
    error = sampled["ownership_error"]
    strayed = "" if error is None else f", players' ownership off by {_part(error)} on average"
    return [
        f"- variants: {catalog['count']} at {catalog['pct']:g} %, {catalog['kind']}; mean shift "
        f"{catalog['mean_shift']:.3f} points, chalk index {catalog['chalk_index']:.3f}, entropy "
        f"{catalog['entropy']:.3f} bits",
        f"- optimizer: {optimizer['lineups']} lineups of {optimizer['players_used']} players, at most "
        f"{optimizer['max_overlap']} in common; lambda {cfg.optimizer.lam:g}, uniques {cfg.optimizer.uniques}",
        f"- field: {sampled['field']} others, largest group of equal lineups {_part(sampled['duplication_risk'])} "
        f"of the entries{strayed}",
        "- the best lineups are chosen by the worlds that they are measured in, which flatters them",
        "- the standard error is that of the worlds alone: slate, lineups and field are taken as they are",
    ]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    return lines + [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]


def _percent(value: float, sign: str = "+") -> str:
    return f"{100 * value:{sign}.1f} %"


def _part(value: float) -> str:
    return f"{100 * value:.1f} %"
