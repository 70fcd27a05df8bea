"""What the page unfolds of a job: its config, the end of its log, its errors; of bounded size, without secrets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runyard.analyze import LoadedSweep
from runyard.base import read_tail, readable
from runyard.record import REDACTED, RunPaths, RunRecord, is_secret

MOST_JOBS = 2000
_LOG_BYTES_PER_JOB = 8192
_LOG_BYTES_IN_ALL = 2_500_000
_CONFIG_BYTES = 65536
_TRACEBACK_BYTES = 4096
_FEWEST_LOG_BYTES = 400
_SHORTEST_SECRET = 4


@dataclass(slots=True)
class Lines:
    """Distinct lines of text, each kept once: the configs of a sweep are nearly alike."""

    texts: list[str] = field(default_factory=list)
    _places: dict[str, int] = field(default_factory=dict)

    def add(self, text: str) -> list[int]:
        """The places of the text's lines."""
        return [self._place(line) for line in text.splitlines()]

    def _place(self, line: str) -> int:
        place = self._places.setdefault(line, len(self.texts))
        if place == len(self.texts):
            self.texts.append(line)
        return place


def details_of(loaded: LoadedSweep) -> dict[str, Any]:
    """The details of the first 2,000 jobs, as plain values for JSON.

    ``lines`` are all distinct lines; ``jobs`` maps a job's number to ``config``, ``log`` and ``error`` (places in
    ``lines``), ``cut`` (bytes of the log that are left out), ``dir`` and ``overrides``. A log is cut to its last
    8 KiB, or less where all logs together would take more than 2.5 MB.

    The value of a key that names a secret is ``***``, as in the records, also where a log repeats it.
    """
    lines = Lines()
    runs = loaded.runs[:MOST_JOBS]
    share = max(_FEWEST_LOG_BYTES, min(_LOG_BYTES_PER_JOB, _LOG_BYTES_IN_ALL // max(1, len(runs))))
    places = loaded.table.columns["run_dir"]
    jobs = {str(run.job): _detail(run, str(place), share, lines) for run, place in zip(runs, places, strict=False)}
    return {"lines": lines.texts, "jobs": jobs}


def _detail(run: RunRecord, place: str, share: int, lines: Lines) -> dict[str, Any]:
    folder = Path(run.run_dir)
    config, secrets = without_secrets(_head(folder / ".hydra" / "config.yaml", _CONFIG_BYTES))
    log, left_out = read_tail(RunPaths(folder).output_log, share)
    return {
        "config": lines.add(config),
        "log": lines.add(_hide(readable(log), secrets)),
        "cut": left_out,
        "error": lines.add(_hide(_errors(run), secrets)),
        "dir": place,
        "overrides": list(run.overrides),
    }


def without_secrets(config: str) -> tuple[str, list[str]]:
    """A config's YAML with ``***`` in the place of secret values, and those values, the longest first."""
    import yaml

    hidden: list[str] = []
    kept: list[str] = []
    deeper_than: int | None = None
    for line in config.splitlines():
        indent = len(line) - len(line.lstrip())
        if deeper_than is not None and (indent > deeper_than or line.strip().startswith("- ")) and line.strip():
            hidden.append(line.strip().removeprefix("- ").rpartition(": ")[2])
            continue
        deeper_than = None
        key, colon, value = line.partition(":")
        if colon and is_secret(key.strip().removeprefix("- ").strip("'\"")) and value.strip() not in ("''", "null"):
            deeper_than = indent
            hidden.append(value.strip())
            kept.append(f"{key}: {REDACTED}")
        else:
            kept.append(line)
    texts = [str(_scalar(yaml, text)) for text in hidden if text]
    return "\n".join(kept), sorted({text for text in texts if len(text) >= _SHORTEST_SECRET}, key=len, reverse=True)


def _scalar(yaml: Any, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _hide(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    return text


def _errors(run: RunRecord) -> str:
    """The errors of every attempt, the last one with its traceback."""
    said: list[str] = []
    for attempt in run.attempts:
        if attempt.error is not None:
            said.append(f"attempt {attempt.n}, {attempt.state.value}: {attempt.error.type}: {attempt.error.message}")
    last: Sequence[Any] = run.attempts[-1:]
    said += [a.error.traceback[-_TRACEBACK_BYTES:] for a in last if a.error is not None and a.error.traceback]
    return "\n".join(said)


def _head(path: Path, size: int) -> str:
    try:
        with path.open("rb") as file:
            return file.read(size).decode("utf-8", "replace")
    except OSError:
        return ""
