"""Writes a sweep as event files that TensorBoard's HParams and Scalars pages read: a session per job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runyard.base import State, from_iso
from runyard.export.library import needed
from runyard.export.outcome import Exported
from runyard.export.subject import Subject, histories_of, is_number, read_subject, swept_of, times_of
from runyard.record import RunRecord

_SUFFIX = ".runyard"
Hparams = dict[str, "bool | float | str"]


def export_tensorboard(sweep_dir: Path, *, out: Path | None = None) -> Exported:
    """Writes what has ended of a sweep below ``out``, or the sweep's ``tensorboard/``: a folder per job.

    Event files of an earlier export are replaced; other files are left alone.

    Raises:
        UsageError: TensorBoard is not installed.
        RecordError: the directory is not that of a sweep.
    """
    with needed("tensorboard"):
        import tensorboard.plugins.hparams.summary_v2  # noqa: F401
    subject = read_subject(sweep_dir)
    folder = out or sweep_dir / "tensorboard"
    hparams = hparams_of(subject.ended)
    _write_events(folder, _config_events(subject, hparams))
    for run, values in zip(subject.ended, hparams, strict=True):
        _write_events(folder / str(run.job), _job_events(subject, run, values))
    return Exported(
        target="tensorboard",
        place=str(folder),
        written=tuple(run.job for run in subject.ended),
        kept=(),
        left_out=subject.left_out,
    )


def hparams_of(runs: Sequence[RunRecord]) -> list[Hparams]:
    """The swept values of each run as TensorBoard takes them.

    A name has values of one kind: numbers where all are finite numbers, truth values where all are, else texts.
    """
    swept = [swept_of(run) for run in runs]
    kinds: dict[str, type] = {}
    for name in dict.fromkeys(name for values in swept for name in values):
        column = [values[name] for values in swept if name in values]
        if all(isinstance(value, bool) for value in column):
            kinds[name] = bool
        else:
            kinds[name] = float if all(map(is_number, column)) else str
    return [{name: kinds[name](value) for name, value in values.items()} for values in swept]


def _config_events(subject: Subject, hparams: Sequence[Mapping[str, Any]]) -> list[Any]:
    """What the experiment consists of: the swept names with their values, and the metrics."""
    from tensorboard.plugins.hparams import summary_v2 as hp

    created = from_iso(subject.sweep.created_at).timestamp()
    names = dict.fromkeys(name for values in hparams for name in values)
    metrics = dict.fromkeys(name for run in subject.ended for name in run.metrics)
    axes = [hp.HParam(name, hp.Discrete({values[name] for values in hparams if name in values})) for name in names]
    summary = hp.hparams_config_pb(
        hparams=axes, metrics=[hp.Metric(name) for name in metrics], time_created_secs=created
    )
    return [_event(summary, created)]


def _job_events(subject: Subject, run: RunRecord, hparams: Hparams) -> list[Any]:
    from tensorboard.plugins.hparams import summary_v2 as hp
    from tensorboard.plugins.scalar.summary_v2 import scalar_pb

    start, end = times_of(run, subject.sweep)
    begin = hp.hparams_pb(hparams, trial_id=f"{run.sweep_id}/{run.job}", start_time_secs=start)
    series = {name: [(0, float(value))] for name, value in run.metrics.items()} | histories_of(run)
    scalars = [_event(scalar_pb(name, value), end, step) for name, points in series.items() for step, value in points]
    return [_event(begin, start), *scalars, _event(_session_end(run, end), end)]


def _session_end(run: RunRecord, end_s: float) -> Any:
    """The summary that ends a session (the function for it in TensorBoard needs TensorFlow)."""
    from tensorboard.compat.proto import summary_pb2
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    status = api_pb2.STATUS_SUCCESS if run.state is State.COMPLETED else api_pb2.STATUS_FAILURE
    data = plugin_data_pb2.HParamsPluginData(
        session_end_info=plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=end_s)
    )
    summary = summary_pb2.Summary()
    summary.value.add(
        tag=metadata.SESSION_END_INFO_TAG,
        metadata=metadata.create_summary_metadata(data),
        tensor=metadata.NULL_TENSOR,
    )
    return summary


def _event(summary: Any, moment_s: float, step: int = 0) -> Any:
    from tensorboard.compat.proto.event_pb2 import Event

    return Event(wall_time=moment_s, step=step, summary=summary)


def _write_events(folder: Path, events: Sequence[Any]) -> None:
    """Takes away the event files of an earlier export, and writes one."""
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    old = list(folder.glob(f"events.out.tfevents.*{_SUFFIX}"))
    folder.mkdir(parents=True, exist_ok=True)
    for path in old:
        path.unlink()
    writer = EventFileWriter(str(folder), filename_suffix=_SUFFIX)
    for event in events:
        writer.add_event(event)
    writer.close()
