"""The command and its help; where errors become messages and exit codes.

Only click and the standard library are imported with it, a command when it is asked for: ``runyard --help`` is quick.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

import click

from runyard import __version__


class Verb(NamedTuple):
    """Where a command is, under its own name, and its line in the help."""

    module: str
    help: str
    attribute: str = ""


#: the commands by what they are for, in the order of the help.
DUTIES: Mapping[str, Mapping[str, Verb]] = {
    "See": {
        "ls": Verb("listing", "List sweeps, the newest first."),
        "status": Verb("look", "Tell how a sweep stands, and what to do next."),
        "watch": Verb("waiting", "Follow a sweep at work until it ends."),
        "wait": Verb("waiting", "Wait until a sweep has ended; the exit code tells how."),
        "show": Verb("look", "Show all that is recorded of a sweep, or of one job."),
        "logs": Verb("logs", "Print a job's output; of a sweep, its failed jobs and their logs."),
        "results": Verb("results", "Print results, a row per job; works while the sweep runs."),
    },
    "Run": {
        "resume": Verb("control", "Run every job of a sweep that is not COMPLETED."),
        "retry": Verb("control", "Run the failed jobs of a sweep again, or those you name."),
        "reproduce": Verb("reproducing", "Run one job again from its snapshot, and compare."),
        "cancel": Verb("control", "Stop a sweep, here or on Slurm; or some of its jobs."),
        "serve": Verb("serving", "Serve an HTTP API, and pages for a browser."),
    },
    "Understand": {
        "summary": Verb("summarizing", "Print means over seeds, with intervals and what they mix."),
        "best": Verb("picking", "Print the best combinations by a metric; is it noise?"),
        "pivot": Verb("picking", "Print a metric over two swept names."),
        "compare": Verb("comparing", "Compare sweeps, jobs or commits: what differs, by how much."),
        "diff": Verb("comparing", "Tell in what two runs differ."),
        "query": Verb("querying", "Find runs of all sweeps by a condition."),
        "report": Verb("reporting", "Make a sweep's report: a page, Markdown and figures."),
    },
    "Judge and keep": {
        "gate": Verb("gating", "Judge a sweep by rules on its metrics."),
        "promote": Verb("promoting", "Make a run's exact config one of the application's."),
        "leaderboard": Verb("promoting", "Put runs on the leaderboard, and print it."),
        "tag": Verb("noting", "Give a sweep tags, or take them away."),
        "note": Verb("noting", "Write a note that stays with a sweep."),
        "archive": Verb("archiving", "Move finished sweeps aside, with or without large files."),
        "restore": Verb("archiving", "Bring an archived sweep back."),
        "rm": Verb("archiving", "Remove sweeps or runs that nothing refers to."),
        "export": Verb("exporting", "Write a sweep to MLflow, TensorBoard or W&B (offline)."),
        "import": Verb("importing", "Take sweeps of plain Hydra into the registry.", "import_sweeps"),
    },
    "Mend": {
        "collect": Verb("control", "Make a sweep's results and notes from what is on disk."),
        "reindex": Verb("control", "Make the registry again from the files."),
        "doctor": Verb("doctor", "Check this machine, the file system, the registry, the sweeps."),
    },
}
_VERBS = {name: verb for verbs in DUTIES.values() for name, verb in verbs.items()}


class Commands(click.Group):
    """The group of commands: shows them by duty, answers a wrong name with the closest, turns errors to messages."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A section a duty."""
        for duty, verbs in DUTIES.items():
            with formatter.section(duty):
                formatter.write_dl([(name, verb.help) for name, verb in verbs.items()])

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, in the order of the help."""
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, which is loaded now; None when there is none."""
        if cmd_name not in _VERBS:
            return None
        from importlib import import_module

        verb = _VERBS[cmd_name]
        command: click.Command = getattr(import_module(f"runyard.cli.{verb.module}"), verb.attribute or cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Raises UsageError, with the closest name, for a command that there is not."""
        if args and not args[0].startswith("-") and args[0] not in _VERBS:
            from runyard.base import unknown_name

            raise unknown_name("command", args[0], _VERBS)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command. Errors of this library end it with their message and exit code, not with a traceback."""
        from runyard.base import RunyardError

        try:
            return super().invoke(ctx)
        except RunyardError as error:
            _stop(ctx, str(error), error.exit_code)
        except KeyboardInterrupt:
            _stop(ctx, "", 130)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            _stop(ctx, str(error), 1)


def _stop(ctx: click.Context, message: str, code: int) -> NoReturn:
    if message:
        click.echo(f"runyard: {message}", err=True)
    ctx.exit(code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="runyard %(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Look at sweeps, and take them up again.

    SWEEP is an id, the unique beginning of one, a path, or 'latest' (the default);
    'latest:EXPERIMENT' is the newest of one experiment, SWEEP/JOB one of its jobs.
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # notes and overrides may hold what a terminal cannot show
