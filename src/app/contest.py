"""``python -m app.contest``: a contest in one command: slate files, a recorded run, the check of an export.

A front only: ``run`` starts ``python -m app workload=contest ...``, which is what runs and records.
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from app.workloads.contest.config import (
    ContestConfig,
    OptimizerConfig,
    SamplerConfig,
    SimConfig,
    VariantsConfig,
)
from app.workloads.contest.inputs import PLAYER_IDS_FILE, PROJECTIONS_FILE, load_slate
from app.workloads.contest.rules import check_export
from app.workloads.contest.synthetic import synthetic_slate
from app.workloads.files import write_text
from runyard import RunyardError, UsageError

#: the variable that names a file for the run's directory; see docs/configuration.md.
ANNOUNCE = "RUNYARD_ANNOUNCE_FILE"

SECTIONS: Mapping[str, type] = {
    "variants": VariantsConfig,
    "optimizer": OptimizerConfig,
    "sampler": SamplerConfig,
    "sim": SimConfig,
}


def main(words: Sequence[str] | None = None) -> int:
    """The command; returns its exit code: 0, that of the run, or 2 for wrong usage."""
    options = _parser().parse_args(words)
    try:
        code: int = options.function(options)
        return code
    except RunyardError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


def run(options: argparse.Namespace) -> int:
    """Runs the contest, and prints the run's id, its directory, and what came out."""
    code, folder = _start(run_overrides(options))
    if code or folder is None:
        return code
    manifest, played = (_json(folder / name) for name in ("manifest.json", "sim/metrics.json"))
    if options.json:
        told = {key: manifest[key] for key in ("run_id", "metrics_head")}
        sys.stdout.write(json.dumps({**told, "artifact_path": str(folder)}) + "\n")
    else:
        sys.stdout.write(_told(manifest, played, folder))
    return 0


def run_overrides(options: argparse.Namespace) -> list[str]:
    """The words after ``python -m app`` that stand for the options.

    Raises:
        UsageError: a config file cannot be read, or has a key that there is not.
    """
    recorder = "hydra.callbacks.runyard"
    values: dict[str, Any] = {
        **{f"workload.{key}": getattr(options, key) for key in ("slate", "contest", "seed", "tag")},
        **{f"workload.{key}": getattr(options, key) for key in ("slates", "projections", "player_ids", "contests")},
        f"{recorder}.experiment": options.slate,
        f"{recorder}.single_root": options.runs_dir,
        f"{recorder}.tags": [options.tag] if options.tag else None,
        f"{recorder}.exclude_keys": ["workload.tag"],
    }
    for section in SECTIONS:
        values.update(_section(section, getattr(options, f"{section}_config")))
    told = [f"{key}={quoted(value)}" for key, value in values.items() if value is not None]
    return ["workload=contest", *told, *options.set]


def quoted(value: Any) -> str:
    """A value as Hydra's grammar of overrides has it."""
    if isinstance(value, str):
        # a backslash counts only before a quote, the closing one too
        escaped = re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), value)
        return f"'{escaped}'"
    if isinstance(value, (list, tuple)):
        return f"[{','.join(quoted(part) for part in value)}]"
    return json.dumps(value)


def write_slate(options: argparse.Namespace) -> int:
    """Writes a synthetic slate as the two files that a real one has."""
    folder = Path(options.slates) / options.slate
    texts = synthetic_slate(options.seed)
    for name, text in ((PROJECTIONS_FILE, texts.projections), (PLAYER_IDS_FILE, texts.player_ids)):
        path = folder / name
        if path.exists() and path.read_text(encoding="utf-8") != text and not options.force:
            raise UsageError("there is another file", where=str(path), todo="name another slate, or give --force")
        folder.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
        sys.stdout.write(f"{path}: {text.count(chr(10)) - 1} players\n")
    return 0


def check(options: argparse.Namespace) -> int:
    """Checks an export against the rules and a slate."""
    cfg = ContestConfig(slate=options.slate, slates=options.slates)
    count = check_export(options.export, load_slate(cfg))
    sys.stdout.write(f"{options.export}: {count} lineups keep to the rules\n")
    return 0


def _section(name: str, path: Path | None) -> Iterator[tuple[str, Any]]:
    """Keys and values in a section's file."""
    if path is None:
        return
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"cannot read the config: {error}", where=str(path), todo="give a YAML file") from error
    known = [field.name for field in dataclasses.fields(SECTIONS[name])]
    if not isinstance(value, Mapping):
        raise UsageError("it is no mapping", where=str(path), todo=f"give keys and values; known: {', '.join(known)}")
    for key, part in value.items():
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise UsageError(f"unknown key {key!r}", where=str(path), todo=f"{hint}Known: {', '.join(known)}")
        yield f"workload.{name}.{key}", part


def _start(overrides: Sequence[str]) -> tuple[int, Path | None]:
    """Runs the application; its exit code, and the run's directory once it had one."""
    with tempfile.TemporaryDirectory(prefix="contest-") as scratch:
        announced = Path(scratch) / "directory"
        process = subprocess.Popen(
            [sys.executable, "-m", "app", *overrides], env={**os.environ, ANNOUNCE: str(announced)}
        )
        while True:
            try:
                code = process.wait()
                break
            except KeyboardInterrupt:  # the terminal has told the run as well: its end is its own
                continue
        folder = Path(announced.read_text(encoding="utf-8").rstrip("\n")) if announced.exists() else None
    if code == 0 and folder is None:
        raise RunyardError("the run has told no directory; turn its record on: runyard=local")
    return code, folder


def _told(manifest: Mapping[str, Any], played: Mapping[str, Any], folder: Path) -> str:
    roi, finish = played["roi"], played["finish"]
    rows = [
        ("run_id", manifest["run_id"]),
        ("artifacts", str(folder)),
        ("summary", str(folder / "export" / "summary.md")),
        ("contest", f"{manifest['contest']} on {manifest['slate_id']}, {played['entries']} entries"),
        ("roi_mean", f"{roi['mean']:+.4f} ± {roi['se']:.4f} (standard error, {played['worlds']} worlds)"),
        ("roi_p50, roi_p95", f"{roi['p50']:+.4f}, {roi['p95']:+.4f}"),
        ("top 1 %, 10 %, cash", ", ".join(f"{100 * finish[name]:.1f} %" for name in ("p1", "p10", "cash"))),
        ("unique_fraction", f"{played['duplication']['unique_fraction']:.4f}"),
        ("dup_p95", f"{played['metrics_head']['dup_p95']:g}"),
    ]
    return "".join(f"{name:<20} {value}\n" for name, value in rows)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app.contest", description="A contest in one command.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _run_parser(commands.add_parser("run", help="run all stages as one recorded run"))
    slate = commands.add_parser("slate", help="write the files of a synthetic slate")
    _slate_options(slate, default="synthetic")
    slate.add_argument("--seed", type=_seed, default=0, help="another seed is another slate (default: 0)")
    slate.add_argument("--force", action="store_true", help="replace files that differ")
    slate.set_defaults(function=write_slate)
    checked = commands.add_parser("check", help="check an export (dk_export.csv) against the rules and a slate")
    checked.add_argument("export", type=Path, help="the file")
    _slate_options(checked, default=ContestConfig.slate)
    checked.set_defaults(function=check)
    return parser


def _run_parser(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    _slate_options(parser, default=ContestConfig.slate)
    add("--contest", default=ContestConfig.contest, help=f"name of the contest (default: {ContestConfig.contest})")
    add("--seed", type=_seed, default=0, help="seed of variants, field and worlds (default: 0)")
    for section in SECTIONS:
        add(f"--{section}-config", type=Path, metavar="FILE", help=f"YAML file with keys of workload.{section}")
    add("--tag", default="", help="a word for the manifest, and for the registry")
    add("--projections", help="a projections file, in the place of the slate's; with --player-ids")
    add("--player-ids", help="a player ids file, in the place of the slate's; with --projections")
    add("--contests", help="YAML file with further contests")
    add("--runs-dir", default="outputs", help="the run lies in RUNS_DIR/SLATE/RUN_ID (default: outputs)")
    add("--json", action="store_true", help="print run_id, artifact_path and metrics_head as JSON")
    add("--set", action="append", default=[], metavar="KEY=VALUE", help="a further override; can be repeated")
    parser.set_defaults(function=run)


def _slate_options(parser: argparse.ArgumentParser, *, default: str) -> None:
    parser.add_argument("--slate", default=default, help=f"name of the slate (default: {default})")
    parser.add_argument(
        "--slates", default=ContestConfig.slates, help=f"folder of slates (default: {ContestConfig.slates})"
    )


def _seed(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, not {text}")
    return value


if __name__ == "__main__":
    sys.exit(main())
