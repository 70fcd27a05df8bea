"""``run.json`` of a job at work, as the text of each of its keys: what does not change is made into JSON once.

The controller makes the draft, where that is cheap; the job's process, in which every object that is touched costs the
copy of a page, only fills in what it alone knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runyard.base import compact_json, write_text
from runyard.record.layout import RunPaths
from runyard.record.run import RunRecord

#: a run record's keys in their order, with the JSON of each.
Draft = Mapping[str, str]


def draft_of(record: RunRecord) -> Draft:
    """The draft of a record. Its attempts are those before the one to come; its provenance is not taken."""
    values = {**record.to_json(), "provenance": {}}
    return {key: compact_json(value) for key, value in values.items()}


def write_draft(run_dir: Path, draft: Draft, attempt: Mapping[str, Any], provenance: str, **changes: Any) -> None:
    """Writes ``run.json`` in the form in which ``write_run`` does.

    Args:
        run_dir: the run's directory, which must be there.
        draft: what does not change.
        attempt: the attempt under way, or at its end; its state and seconds are the record's.
        provenance: what ``provenance_lines`` gives.
        changes: values of other keys.
    """
    before = draft["attempts"][1:-1]
    told = compact_json(attempt)
    lines = {
        **draft,
        "state": f'"{attempt["state"]}"',
        "attempts": f"[{before}, {told}]" if before else f"[{told}]",
        "seconds": compact_json(attempt["seconds"]),
        "provenance": "{" + provenance + "\n  }",
        **{key: compact_json(value) for key, value in changes.items()},
    }
    body = ",\n".join([f'  "{key}": {text}' for key, text in lines.items()])
    write_text(RunPaths(run_dir).run_json, f"{{\n{body}\n}}\n")
