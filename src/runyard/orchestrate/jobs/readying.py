"""The worker of a sweep's jobs, made ready in the process that they are started from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runyard.compose import Composer
from runyard.orchestrate.jobs.running import own_provenance
from runyard.orchestrate.jobs.worker import Worker, unrecorded
from runyard.orchestrate.opening import Application, OpenSweep
from runyard.record import Imports, imported_code, read_code

#: compositions whose jobs are readied before the first fork; those of others are handed their whole config.
_REHEARSED = 64


def ready_worker(app: Application, opened: OpenSweep, composer: Composer, *, rehearses: bool) -> Worker:
    """Runs jobs of a sweep; with ``rehearses`` what they have in common is done before they are forked."""
    rehearsals = {}
    for choices in list(composer.frozen.bases)[: _REHEARSED if rehearses else 0]:
        rehearsal = composer.rehearse(choices)
        if rehearsal is not None:
            rehearsals[choices] = rehearsal
    provenance = _provenance(app, opened)
    return Worker(
        task_function=app.task_function,
        context=unrecorded(app.context),
        rehearsals=rehearsals,
        provenance=provenance,
        imports=Imports(),
        lines=own_provenance(provenance),
        seed_key=opened.settings.seed_key,
    )


def _provenance(app: Application, opened: OpenSweep) -> Mapping[str, Any]:
    """That of the sweep; the code is what this process has imported, which may have changed since."""
    provenance, base = opened.provenance, read_code(opened.paths.code)
    if base is None:
        return provenance
    now = imported_code(Path(str(app.config.hydra.runtime.cwd)))
    return {**provenance, "code": {"base": base.id, "files": now.without(base)}}
