"""A front for ``hydra.main`` functions that ends with the right exit code and a message instead of a traceback.

Hydra ends with code 1 whatever went wrong. Here wrong usage is 2 (an unknown group or key, a bad value, a sweep over
``hydra.*``), and a key that is not known is named with the closest one that is. A failing task still shows its
traceback and is 1.
"""

from __future__ import annotations

import difflib
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hydra._internal import utils as hydra_utils
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from runyard.base import RunyardError, UsageError, unknown_name

_UNKNOWN_CHOICE = re.compile(r"Could not find '([\w/]+)/([^'/]+)'\s+Available options")
_UNKNOWN_LAUNCHER_KEY = re.compile(r"Could not override 'hydra\.launcher\.([\w.]+)'")
#: the function of Hydra that calls the task: 1.3 and 1.4.
_RUNS_THE_TASK = ("run_job", "_run_job")


def run_application(main: Callable[[], object], *, launcher_keys: tuple[str, ...] = ()) -> int:
    """Calls a function decorated with ``hydra.main`` and returns the exit code for ``sys.exit``.

    Args:
        main: the decorated function.
        launcher_keys: keys that may stand under ``hydra.launcher``, to name the closest.
    """
    try:
        with _hydra_raises():
            main()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except RunyardError as error:
        return _say(str(error), error.exit_code)
    except (HydraException, OmegaConfBaseException) as error:
        return _say(wording(error, launcher_keys), 2)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # the task's own failure: shown as Python does, without Hydra's frames
        _show_failure(error)
        return 1
    return 0


@contextmanager
def _hydra_raises() -> Iterator[None]:
    """While it lasts, Hydra raises its errors to us instead of printing them and ending with code 1."""
    original = hydra_utils.run_and_report
    hydra_utils.run_and_report = lambda func: func()
    try:
        yield
    finally:
        hydra_utils.run_and_report = original


def _say(text: str, code: int) -> int:
    sys.stderr.write(text.rstrip() + "\n")
    return code


def wording(error: BaseException, launcher_keys: tuple[str, ...] = ()) -> str:
    """Hydra's message, its cause below it, and the closest known key where a launcher's key is not known."""
    lines = [str(error) or type(error).__name__]
    if error.__cause__ is not None and str(error.__cause__) not in lines[0]:
        lines.append(f"  {str(error.__cause__).splitlines()[0]}")
    choice = _UNKNOWN_CHOICE.search(lines[0])
    if choice:
        known = [word.strip() for word in lines[0].partition("Available options")[2].splitlines()[1:]]
        known = [word for word in known if word and "=" not in word and not word.endswith((":", "_schema"))]
        raise_as = unknown_name(f"choice of {choice[1]}", choice[2], known, where=f"{choice[1]}={choice[2]}")
        return str(raise_as)
    unknown = _UNKNOWN_LAUNCHER_KEY.search(lines[0])
    if unknown and launcher_keys:
        close = difflib.get_close_matches(unknown[1], launcher_keys, n=1, cutoff=0.5)
        hint = f"did you mean 'hydra.launcher.{close[0]}'? " if close else ""
        return str(
            UsageError(
                f"unknown key {unknown[1]!r}", where="hydra.launcher", todo=f"{hint}Known: {', '.join(launcher_keys)}"
            )
        )
    return "\n".join(lines)


def _show_failure(error: BaseException) -> None:
    trace = error.__traceback__
    skip = trace
    while skip is not None and skip.tb_frame.f_code.co_name not in _RUNS_THE_TASK:
        skip = skip.tb_next
    traceback.print_exception(type(error), error, skip.tb_next if skip is not None else trace)
