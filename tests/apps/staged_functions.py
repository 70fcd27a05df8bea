"""Stages as functions, each of which leaves a line in the file that the config's ``log`` names when it begins."""

import os
import signal
from pathlib import Path

from runyard import StageResult


def bound(cfg, inputs, context):
    """What the jobs of one (day, d) have in common; the first of all runners is killed half-way."""
    _begun(cfg, f"bound {cfg.day} {cfg.d}")
    (context.dir / "half").write_text("half")
    _killed_once(cfg)
    (context.dir / "half").unlink()
    _begun(cfg, "whole")
    (context.dir / "lp.txt").write_text(f"{cfg.day * cfg.d}\n")
    return StageResult(metrics={"lp": cfg.day * cfg.d}, outputs={"lp": "lp.txt"})


def play(cfg, inputs, context):
    """Reads what is shared."""
    return {"savings": float(inputs["bound"]["lp"].read_text()) * cfg.gamma + cfg.tau}


def first(cfg, inputs, context):
    """Writes a file."""
    _begun(cfg, "first")
    (context.dir / "out.txt").write_text("1\n")
    return StageResult(outputs={"out": "out.txt"})


def second(cfg, inputs, context):
    """Adds a line."""
    _begun(cfg, "second")
    (context.dir / "out.txt").write_text(inputs["first"]["out"].read_text() + "2\n")
    return StageResult(outputs={"out": "out.txt"})


def third(cfg, inputs, context):
    """Adds a line; the first runner is killed."""
    _begun(cfg, "third")
    _killed_once(cfg)
    (context.dir / "out.txt").write_text(inputs["second"]["out"].read_text() + "3\n")
    return StageResult(metrics={"lines": 3}, outputs={"out": "out.txt"})


def _begun(cfg, what):
    with open(cfg.log, "a") as file:
        file.write(what + "\n")


def _killed_once(cfg):
    if not cfg.kill:
        return
    try:
        os.close(os.open(Path(cfg.log).with_suffix(".killed"), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
