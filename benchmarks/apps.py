"""The applications that are swept: generated, ordinary Hydra applications that know nothing of any launcher."""

from __future__ import annotations

from pathlib import Path

_HEAD = """import hydra


@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg):
"""
_TAIL = """

if __name__ == "__main__":
    main()
"""
_CONFIG = "x: 0\nseed: 0\nlr: 0.1\n"
_TRIVIAL = "    return float(cfg.x)\n"
#: writes the time at which the first job of all began.
_FIRST = """    try:
        file = open(os.environ["BENCH_MARK"], "x")
    except FileExistsError:
        return float(cfg.x)
    with file:
        file.write(f"{time.time()}\\n")
    return float(cfg.x)
"""
#: sleeps, and appends to a file when that began and when it was over.
_TIMED = """    began = time.time()
    time.sleep({seconds})
    with open(os.environ["BENCH_MARK"], "a") as file:
        file.write(f"{{began}} {{time.time()}}\\n")
    return float(cfg.x)
"""
#: three metrics, and a log of twenty lines.
_METRICS = """    for step in range(20):
        print(f"step {step}: loss {cfg.x / (step + 1):.4f}")
    noise = random.Random(f"{cfg.x} {cfg.lr} {cfg.seed}").random()
    return {"loss": cfg.lr / (cfg.x + 1) + 0.1 * noise, "accuracy": 1 - 0.5 * noise, "steps": 20}
"""
LARGE_FILES, LARGE_KEYS = 25, 400


def make_app(name: str, folder: Path, *, seconds: float = 1.0, imports: tuple[str, ...] = ()) -> Path:
    """Writes an application into ``folder`` and returns its program.

    Args:
        name: ``trivial``; ``large`` (25 config files, 400 keys); ``heavy`` (imports libraries at its start);
            ``metrics`` (returns three, and prints twenty lines); ``first`` (writes when the first job began into the
            file that BENCH_MARK names); ``sleep``; ``timed`` (sleeps, and writes when that began and ended into that
            file).
        folder: is made.
        seconds: how long a job of ``sleep`` or ``timed`` takes.
        imports: what ``heavy`` imports.
    """
    conf = folder / "conf"
    conf.mkdir(parents=True)
    files, text = {"config": _CONFIG}, _HEAD + _TRIVIAL
    if name == "large":
        files = large_configs()
    elif name == "heavy":
        text = "".join(f"import {module}\n" for module in imports) + text
    elif name == "first":
        text = "import os\nimport time\n\n" + _HEAD + _FIRST
    elif name == "metrics":
        text = "import random\n\n" + _HEAD + _METRICS
    elif name == "sleep":
        text = f"import time\n\n{_HEAD}    time.sleep({seconds})\n{_TRIVIAL}"
    elif name == "timed":
        text = "import os\nimport time\n\n" + _HEAD + _TIMED.format(seconds=seconds)
    elif name != "trivial":
        raise ValueError(f"no application is called {name!r}")
    for path, content in files.items():
        file = conf / f"{path}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
    program = folder / f"{name}_app.py"
    program.write_text(text + _TAIL)
    return program


def large_configs() -> dict[str, str]:
    """The 25 files that make one config of 400 keys: a primary one and 24 groups, nested and interpolated."""
    groups = [f"part{i:02d}" for i in range(LARGE_FILES - 1)]
    primary = ["defaults:", *(f"  - {group}: base" for group in groups), "  - _self_"]
    primary += ["x: 0", "seed: 0", "lr: 0.1", *(f"top_{i}: {i}" for i in range(3, 16))]
    files = {"config": "\n".join(primary) + "\n"}
    return files | {f"{group}/base": _group(i) for i, group in enumerate(groups)}


def _group(number: int) -> str:
    """A file of sixteen keys that hold values."""
    lines = [f"name: part{number}", "rate: ${lr}", "seed: ${seed}", "path: ${.name}/data", "flags: [1, 2, 3]"]
    lines += ["layers:", *(f"  width_{i}: {16 * i}" for i in range(5)), "  inner:"]
    lines += [f"    depth_{i}: {i}" for i in range(3)]
    lines += ["enabled: true", "scale: 1.5", "note: an ordinary value of some length"]
    return "\n".join(lines) + "\n"
