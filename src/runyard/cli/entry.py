"""The command and its help; where errors become messages and exit codes.

Only click, the standard library and the rooms at the bottom are imported with it: ``runyard --help`` is quick.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import click

from runyard import __version__
from runyard.base import RunyardError, unknown_name
from runyard.cli.control import cancel, collect, reindex, resume, retry
from runyard.cli.doctor import doctor
from runyard.cli.listing import ls
from runyard.cli.logs import logs
from runyard.cli.look import show, status
from runyard.cli.results import results

#: the commands by what they are for, in the order of the help.
DUTIES: Mapping[str, Sequence[click.Command]] = {
    "See": (ls, status, show, logs, results),
    "Run what is left": (resume, retry, cancel),
    "Mend": (collect, reindex, doctor),
}


class Commands(click.Group):
    """The group of commands: shows them by duty, answers a wrong name with the closest, turns errors to messages."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A section a duty."""
        for duty, commands in DUTIES.items():
            with formatter.section(duty):
                formatter.write_dl([(str(c.name), c.get_short_help_str(limit=100)) for c in commands])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Raises UsageError, with the closest name, for a command that there is not."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            raise unknown_name("command", args[0], self.commands)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command. Errors of this library end it with their message and exit code, not with a traceback."""
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


for _commands in DUTIES.values():
    for _command in _commands:
        main.add_command(_command)
