"""The callback ``runyard``: records sweeps and single runs under any launcher; ``+runyard=record``."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig


class RunyardCallback(Callback):
    """Keeps the record. Holds no state: Hydra pickles callbacks into workers."""

    def __init__(self, **settings: Any) -> None:
        """Takes what stands under ``hydra.callbacks.runyard``; the record's functions read it from the config."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: D102
        from runyard.orchestrate import begin_sweep, plain_exit

        with plain_exit():
            begin_sweep(config)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: D102
        from runyard.orchestrate import end_sweep

        with _said():
            end_sweep(config)

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: D102
        from runyard.orchestrate import begin_run, plain_exit

        with plain_exit():
            begin_run(config)

    def on_run_end(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: D102
        from runyard.orchestrate import end_run

        with _said():
            end_run(config)

    def on_job_start(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: D102
        from runyard.orchestrate import begin_job

        with _said():
            begin_job(config)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:  # noqa: D102
        from runyard.orchestrate import end_job

        with _said():
            end_job(config, job_return)


@contextmanager
def _said() -> Iterator[None]:
    """Hydra turns a callback's exception into one line of warning; this adds where it came from."""
    try:
        yield
    except Exception as exc:  # said in full, then left to Hydra
        import traceback

        warnings.warn(f"runyard could not record: {exc}\n{traceback.format_exc()}", RuntimeWarning, stacklevel=2)
        raise
