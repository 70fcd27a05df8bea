"""The five stages: what each reads, computes and writes into its folder. Each returns its metrics for the record."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from app.workloads.files import write_text
from runyard import Stage, StageContext

from . import field, metrics, simulation, variants
from .config import ContestConfig
from .contests import resolve_contest
from .contracts import schema
from .export import summary_text
from .inputs import as_pattern, file_patterns, load_slate
from .optimizer import Lineup, build_lineups
from .rules import EXPORT_HEADER, SLOT_NAMES, check_export
from .seeds import module_seed
from .slate import Slate
from .tables import read_json, read_table, write_json, write_table

Inputs = Mapping[str, Mapping[str, Path]]

_SLATE_KEYS = ("slate", "slates", "projections", "player_ids")

KIND = "player-pool variants: projections moved at random, before any lineup; variants of lineups come with the field"


def stages_of(cfg: ContestConfig) -> list[Stage]:
    """The stages of a configuration. Jobs of a sweep share the first three where they agree in what these depend on."""
    slate_files = file_patterns(cfg)
    contests = () if cfg.contests is None else (as_pattern(Path(cfg.contests)),)
    catalog, lineups = ("variant_catalog", "optimizer_output")
    entrants, played = ("field_sampler_output", "sim_metrics")
    return [
        Stage(
            name="variants",
            function=make_catalog,
            cache={"keys": [*_SLATE_KEYS, "seed", "variants"]},
            files=slate_files,
            outputs={
                "catalog": {"path": "catalog.parquet", "schema": schema(catalog)},
                "summary": {"path": "summary.json", "schema": schema(catalog, "summary")},
            },
        ),
        Stage(
            name="optimizer",
            function=optimize,
            needs=("variants",),
            cache={"keys": [*_SLATE_KEYS, "optimizer"]},
            files=slate_files,
            outputs={
                "lineups": {"path": "lineups.parquet", "schema": schema(lineups)},
                "dk_export": {"path": "dk_export.csv", "schema": schema(lineups, "dk_export")},
                "metrics": {"path": "metrics.json", "schema": schema(lineups, "metrics")},
            },
        ),
        Stage(
            name="field_sampler",
            function=sample,
            needs=("optimizer",),
            cache={"keys": [*_SLATE_KEYS, "seed", "contest", "contests", "sampler"]},
            files=(*slate_files, *contests),
            outputs={
                "entrants": {"path": "entrants.parquet", "schema": schema(entrants)},
                "telemetry": {"path": "telemetry.json", "schema": schema(entrants, "telemetry")},
                "metrics": {"path": "metrics.json", "schema": schema(entrants, "metrics")},
            },
        ),
        Stage(
            name="sim",
            function=simulate,
            needs=("field_sampler",),
            files=(*slate_files, *contests),
            outputs={
                "results": {"path": "results.parquet", "schema": schema(played, "results")},
                "metrics": {"path": "metrics.json", "schema": schema(played)},
            },
        ),
        Stage(
            name="export",
            function=export,
            needs=("variants", "optimizer", "field_sampler", "sim"),
            outputs={"summary": "summary.md"},
        ),
    ]


def make_catalog(cfg: ContestConfig, inputs: Inputs, context: StageContext) -> dict[str, Any]:
    """Writes the catalog of variants and its summary."""
    slate, seed = load_slate(cfg), module_seed(cfg.seed, "variants")
    context.log("begin", slate=slate.name, players=len(slate), seed=seed)
    catalog = variants.make_variants(slate, cfg.variants, seed=seed)
    count = len(catalog.projections)
    write_table(
        context.dir / "catalog.parquet",
        {
            "variant_id": range(count),
            "pct": [float(cfg.variants.pct)] * count,
            "seed": [seed] * count,
            "player_ids": [list(slate.ids)] * count,
            "projections": catalog.projections.tolist(),
        },
    )
    found = variants.describe(slate, catalog)
    head = {"kind": KIND, "players": len(slate), "pct": float(cfg.variants.pct)}
    write_json(context.dir / "summary.json", {**head, **found})
    unused = slate.ids_without_projection
    context.log("diagnostics", players=len(slate), games=len(set(slate.games)), ids_without_projection=unused)
    return {f"variants_{name}": value for name, value in found.items()}


def optimize(cfg: ContestConfig, inputs: Inputs, context: StageContext) -> dict[str, Any]:
    """Writes the lineups, the export and their metrics."""
    slate = load_slate(cfg)
    rows = read_table(inputs["variants"]["catalog"])
    projections = np.array([row["projections"] for row in rows])
    context.log("begin", variants=len(rows), lineups=cfg.optimizer.lineups, seed=None)
    started = time.perf_counter()
    lineups = build_lineups(
        slate,
        projections,
        cfg.optimizer,
        on_lineup=lambda number, lineup: context.log("lineup", lineup_id=number, objective=lineup.objective),
    )
    solve_s = round(time.perf_counter() - started, 6)
    columns = _lineup_columns(slate, lineups)
    write_table(context.dir / "lineups.parquet", columns)
    export_rows = [",".join(slate.ids[player] for player in lineup.players) for lineup in lineups]
    write_text(context.dir / "dk_export.csv", "\n".join([EXPORT_HEADER, *export_rows]) + "\n")
    check_export(context.dir / "dk_export.csv", slate)
    found = _lineup_metrics(slate, lineups, columns)
    write_json(context.dir / "metrics.json", found)
    context.log("diagnostics", solver="HiGHS", solve_s=solve_s, lineups=len(lineups), max_overlap=found["max_overlap"])
    return {name: found[name] for name in ("projection_mean", "salary_mean", "ownership_mean", "max_overlap")}


def sample(cfg: ContestConfig, inputs: Inputs, context: StageContext) -> dict[str, Any]:
    """Writes all entries of the contest, what the drawing was like, and what the field is like."""
    slate, contest, seed = load_slate(cfg), resolve_contest(cfg), module_seed(cfg.seed, "field_sampler")
    ours = [_players(slate, row) for row in read_table(inputs["optimizer"]["lineups"])]
    context.log("begin", contest=contest.name, entries=contest.field_size, ours=len(ours), seed=seed)
    entrants = field.sample_field(slate, ours, cfg.sampler, field_size=contest.field_size, seed=seed)
    others = len(entrants) - len(ours)
    names = [[slate.ids[player] for player in entry] for entry in entrants.players.tolist()]
    write_table(
        context.dir / "entrants.parquet",
        {
            "entry_id": range(1, len(entrants) + 1),
            "origin": [field.OURS] * len(ours) + [field.FIELD] * others,
            "lineup_id": [*range(1, len(ours) + 1), *[None] * others],
            **{slot: [entry[place] for entry in names] for place, slot in enumerate(SLOT_NAMES)},
            "salary": slate.salaries[entrants.players].sum(axis=1).tolist(),
        },
    )
    drawn = {"seed": seed, "tried": entrants.tried, "valid": entrants.valid}
    acceptance = entrants.valid / entrants.tried if entrants.tried else None
    settings = {"skill": cfg.sampler.skill, "min_salary": cfg.sampler.min_salary}
    write_json(context.dir / "telemetry.json", {**drawn, "acceptance": acceptance, **settings})
    found = field.describe(slate, entrants)
    write_json(context.dir / "metrics.json", found)
    context.log("diagnostics", **drawn, acceptance=acceptance, unique_lineups=found["unique_lineups"])
    shown = ("entries", "duplication_risk", "ownership_error")
    return {f"field_{name}": found[name] for name in shown if found[name] is not None}


def simulate(cfg: ContestConfig, inputs: Inputs, context: StageContext) -> dict[str, Any]:
    """Writes what came out in each world, and the metrics of the contest."""
    slate, contest, seed = load_slate(cfg), resolve_contest(cfg), module_seed(cfg.seed, "sim")
    rows = read_table(inputs["field_sampler"]["entrants"])
    players = np.array([_players(slate, row) for row in rows], dtype=np.int64)
    ours = sum(row["origin"] == field.OURS for row in rows)
    entrants = field.Entrants(players=players, ours=ours, tried=0, valid=0)
    context.log("begin", worlds=cfg.sim.worlds, entries=len(rows), ours=ours, seed=seed)
    played = simulation.play(
        slate, entrants, contest, cfg.sim, seed=seed, on_chunk=lambda done: context.log("worlds", done=done)
    )
    write_table(
        context.dir / "results.parquet",
        {
            "world": range(cfg.sim.worlds),
            "roi": metrics.roi_of(played, contest, ours=ours).tolist(),
            "prizes": (played.prizes / 100).tolist(),
            "best_rank": played.best_rank.tolist(),
            **{name: (getattr(played, name) / ours).tolist() for name in ("p1", "p10", "cash")},
            "top_score": played.top_score.tolist(),
            "field_roi": (played.field_prizes / (len(rows) * contest.entry_fee) - 1).tolist(),
        },
    )
    found = metrics.summarize(played, contest, ours=ours)
    write_json(context.dir / "metrics.json", {**found, "lineups": metrics.by_lineup(played, contest, ours=ours)})
    smallest = {game: simulation.smallest_eigenvalue(slate, game, cfg.sim) for game in dict.fromkeys(slate.games)}
    clipped = [game for game, value in smallest.items() if value < 0]
    context.log("diagnostics", worlds=cfg.sim.worlds, clipped_games=clipped, smallest_eigenvalue=min(smallest.values()))
    return metrics.flat(found)


def export(cfg: ContestConfig, inputs: Inputs, context: StageContext) -> dict[str, Any]:
    """Writes the summary for people."""
    contest = resolve_contest(cfg)
    text = summary_text(
        cfg,
        load_slate(cfg),
        contest,
        catalog=read_json(inputs["variants"]["summary"]),
        lineups=read_table(inputs["optimizer"]["lineups"]),
        optimizer=read_json(inputs["optimizer"]["metrics"]),
        sampled=read_json(inputs["field_sampler"]["metrics"]),
        played=read_json(inputs["sim"]["metrics"]),
    )
    write_text(context.dir / "summary.md", text)
    context.log("diagnostics", lines=text.count("\n"))
    return {}


def _players(slate: Slate, row: Mapping[str, Any]) -> tuple[int, ...]:
    """The numbers of the players in a row that has their IDs by slot."""
    return tuple(slate.number_of[row[slot]] for slot in SLOT_NAMES)


def _lineup_columns(slate: Slate, lineups: Sequence[Lineup]) -> dict[str, Sequence[Any]]:
    players = np.array([lineup.players for lineup in lineups], dtype=np.int64)
    return {
        "lineup_id": range(1, len(lineups) + 1),
        "variant_id": [lineup.variant for lineup in lineups],
        **{slot: [slate.ids[p] for p in players[:, place].tolist()] for place, slot in enumerate(SLOT_NAMES)},
        "salary": slate.salaries[players].sum(axis=1).tolist(),
        "projection": slate.projections[players].sum(axis=1).tolist(),
        "ownership": slate.ownerships[players].sum(axis=1).tolist(),
        "objective": [lineup.objective for lineup in lineups],
    }


def _lineup_metrics(slate: Slate, lineups: Sequence[Lineup], columns: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    held = Counter(player for lineup in lineups for player in lineup.players)
    overlaps = [len(set(a.players) & set(b.players)) for a, b in combinations(lineups, 2)]
    means = {f"{name}_mean": float(np.mean(columns[name])) for name in ("projection", "salary", "ownership")}
    ordered = sorted(held.items(), key=lambda item: (-item[1], item[0]))
    return {
        "lineups": len(lineups),
        **means,
        "max_overlap": max(overlaps, default=0),
        "players_used": len(held),
        "exposures": {slate.ids[player]: times / len(lineups) for player, times in ordered},
    }
