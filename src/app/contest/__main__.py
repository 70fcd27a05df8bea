"""``python -m app.contest``: run a contest, write slate files, check an export."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from app.contest.launch import SECTIONS, Ended, Request, check_section, start
from app.workloads.contest.config import ContestConfig, validate
from app.workloads.contest.inputs import PLAYER_IDS_FILE, PROJECTIONS_FILE, load_slate
from app.workloads.contest.rules import check_export
from app.workloads.contest.synthetic import synthetic_slate
from app.workloads.files import write_text
from runyard import RunyardError, UsageError

_INPUTS = ("slates", "projections", "player_ids", "contests")


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
    request = Request(
        **{key: getattr(options, key) for key in ("slate", "contest", "seed", "tag", "runs_dir")},
        sections={section: _section(section, getattr(options, f"{section}_config")) for section in SECTIONS},
        inputs={key: getattr(options, key) for key in _INPUTS},
        overrides=tuple(options.set),
    )
    ended = start(request)
    if ended.code == 0:
        sys.stdout.write(json.dumps(ended.head()) + "\n" if options.json else told(ended))
    return ended.code


def told(ended: Ended) -> str:
    """A short table of a run that has ended well."""
    manifest, played, folder = ended.read("manifest.json"), ended.read("sim/metrics.json"), ended.folder
    roi, finish = played["roi"], played["finish"]
    rows = [
        ("run_id", manifest["run_id"]),
        ("artifacts", str(folder)),
        ("summary", f"{folder}/export/summary.md"),
        ("contest", f"{manifest['contest']} on {manifest['slate_id']}, {played['entries']} entries"),
        ("roi_mean", f"{roi['mean']:+.4f} ± {roi['se']:.4f} (standard error, {played['worlds']} worlds)"),
        ("roi_p50, roi_p95", f"{roi['p50']:+.4f}, {roi['p95']:+.4f}"),
        ("top 1 %, 10 %, cash", ", ".join(f"{100 * finish[name]:.1f} %" for name in ("p1", "p10", "cash"))),
        ("unique_fraction", f"{played['duplication']['unique_fraction']:.4f}"),
        ("dup_p95", f"{played['metrics_head']['dup_p95']:g}"),
    ]
    return "".join(f"{name:<20} {value}\n" for name, value in rows)


def write_slate(options: argparse.Namespace) -> int:
    """Writes a synthetic slate as the two files that a real one has."""
    validate(ContestConfig(slate=options.slate))
    folder = Path(options.slates) / options.slate
    texts = synthetic_slate(options.seed)
    parts = {folder / PROJECTIONS_FILE: texts.projections, folder / PLAYER_IDS_FILE: texts.player_ids}
    for path, text in parts.items():
        if path.exists() and path.read_text(encoding="utf-8") != text and not options.force:
            raise UsageError("there is another file", where=str(path), todo="name another slate, or give --force")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in parts.items():
        write_text(path, text)
        sys.stdout.write(f"{path}: {text.count(chr(10)) - 1} players\n")
    return 0


def check(options: argparse.Namespace) -> int:
    """Checks an export against the rules and a slate."""
    cfg = ContestConfig(slate=options.slate, slates=options.slates)
    count = check_export(options.export, load_slate(cfg))
    sys.stdout.write(f"{options.export}: {count} lineups keep to the rules\n")
    return 0


def _section(name: str, path: Path | None) -> Mapping[str, Any]:
    """Keys and values in a section's file."""
    if path is None:
        return {}
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"cannot read the config: {error}", where=str(path), todo="give a YAML file") from error
    if not isinstance(value, Mapping):
        raise UsageError("it is no mapping", where=str(path), todo="give keys and values, such as 'count: 30'")
    check_section(name, value, where=str(path))
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app.contest", description="A contest in one command.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _run_parser(commands.add_parser("run", help="run all stages as one recorded run"))
    slate = commands.add_parser("slate", help="write the files of a synthetic slate")
    slate.add_argument("--slate", required=True, help="name of the slate")
    slate.add_argument("--seed", type=_seed, default=0, help="another seed is another slate (default: 0)")
    slate.add_argument("--force", action="store_true", help="replace files that differ")
    checked = commands.add_parser("check", help="check an export (dk_export.csv) against the rules and a slate")
    checked.add_argument("export", type=Path, help="the file")
    _slate_option(checked)
    for command, function in ((slate, write_slate), (checked, check)):
        command.add_argument("--slates", default=ContestConfig.slates, help="folder of slates (default: data/slates)")
        command.set_defaults(function=function)
    return parser


def _run_parser(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    _slate_option(parser)
    add("--contest", default=ContestConfig.contest, help=f"name of the contest (default: {ContestConfig.contest})")
    add("--seed", type=_seed, default=0, help="seed of variants, field and worlds (default: 0)")
    for section in SECTIONS:
        add(f"--{section}-config", type=Path, metavar="FILE", help=f"YAML file with keys of workload.{section}")
    add("--tag", default="", help="a word for the manifest, and for the registry")
    add("--slates", help=f"folder of slates (default: {ContestConfig.slates})")
    add("--projections", help="a projections file, in the place of the slate's; with --player-ids")
    add("--player-ids", help="a player ids file, in the place of the slate's; with --projections")
    add("--contests", help="YAML file with further contests")
    add("--runs-dir", default="outputs", help="the run lies in RUNS_DIR/SLATE/RUN_ID (default: outputs)")
    add("--json", action="store_true", help="print run_id, artifact_path and metrics_head as JSON")
    add("--set", action="append", default=[], metavar="KEY=VALUE", help="a further override; can be repeated")
    parser.set_defaults(function=run)


def _slate_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--slate", default=ContestConfig.slate, help=f"name (default: {ContestConfig.slate})")


def _seed(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, not {text}")
    return value


if __name__ == "__main__":
    sys.exit(main())
