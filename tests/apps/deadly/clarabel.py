"""The real clarabel, which the file named by ``DEADLY_LOG`` tells of; the first to use it is killed, if asked for.

It stands before the real one on the path. A dual price is found half-way through the stage of a linear bound: the
bound itself is solved by then, and nothing of it is written.
"""

import importlib
import os
import signal
import sys
from pathlib import Path


def _real():
    before, here = list(sys.path), str(Path(__file__).parent)
    sys.path[:] = [place for place in before if place != here]
    del sys.modules["clarabel"]
    try:
        return importlib.import_module("clarabel")
    finally:
        sys.path[:] = before


_clarabel = _real()  # and this is what the name stands for from now on
_Solver = _clarabel.DefaultSolver


def _deadly_solver(*args):
    log = Path(os.environ["DEADLY_LOG"])
    with log.open("a") as file:
        file.write("begun\n")
    if os.environ.get("DEADLY_KILL"):
        try:
            os.close(os.open(log.with_suffix(".killed"), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)
    return _Solver(*args)


_clarabel.DefaultSolver = _deadly_solver
