from __future__ import annotations

from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import api_pb2, metadata
from tensorboard.util import tensor_util

from runyard.export import export_tensorboard


def read_back(folder: Path) -> EventAccumulator:
    found = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    found.Reload()
    return found


def scalars(folder: Path, tag: str) -> list[tuple[int, float]]:
    return [(e.step, float(tensor_util.make_ndarray(e.tensor_proto))) for e in read_back(folder).Tensors(tag)]


def hparams_data(folder: Path, tag: str) -> bytes:
    return read_back(folder).SummaryMetadata(tag).plugin_data.content


def test_the_experiment_tells_its_axes_and_metrics(sweep_dir: Path) -> None:
    done = export_tensorboard(sweep_dir)
    assert (done.written, done.left_out) == ((0, 1, 2, 3), (4,))
    content = hparams_data(sweep_dir / "tensorboard", metadata.EXPERIMENT_TAG)
    experiment = metadata.parse_experiment_plugin_data(content)
    axes = {info.name: info for info in experiment.hparam_infos}
    assert [v.number_value for v in axes["model.lr"].domain_discrete.values] == [0.0, 0.1, 0.2, 0.3]
    assert [v.string_value for v in axes["opt"].domain_discrete.values] == ["adam"]
    assert [info.name.tag for info in experiment.metric_infos] == ["acc", "eval/loss"]


def test_each_job_is_a_session_with_its_values_state_and_times(sweep_dir: Path) -> None:
    export_tensorboard(sweep_dir)
    folder = sweep_dir / "tensorboard"
    start = metadata.parse_session_start_info_plugin_data(hparams_data(folder / "2", metadata.SESSION_START_INFO_TAG))
    assert start.hparams["model.lr"].number_value == 0.2
    assert start.hparams["opt"].string_value == "adam"
    ends = [
        metadata.parse_session_end_info_plugin_data(hparams_data(folder / str(job), metadata.SESSION_END_INFO_TAG))
        for job in range(4)
    ]
    good, bad = api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE
    assert [end.status for end in ends] == [good, bad, good, bad]
    assert ends[2].end_time_secs - start.start_time_secs == 60.5


def test_metrics_and_rows_that_count_steps_are_scalars(sweep_dir: Path) -> None:
    export_tensorboard(sweep_dir)
    folder = sweep_dir / "tensorboard" / "0"
    assert scalars(folder, "acc") == [(0, 0.5)]
    assert [step for step, _ in scalars(folder, "curve/loss")] == [0, 1, 2, 3, 4]
    assert [value for _, value in scalars(folder, "curve/loss")] == pytest.approx([1 / (n + 1) for n in range(5)])


def test_exporting_again_replaces_its_own_files_alone(sweep_dir: Path, tmp_path: Path) -> None:
    out = tmp_path / "board"
    export_tensorboard(sweep_dir, out=out)
    (out / "0" / "events.out.tfevents.1.theirs").write_bytes(b"")
    export_tensorboard(sweep_dir, out=out)
    assert len(list(out.glob("events*"))) == 1
    assert sorted(path.suffix for path in (out / "0").glob("events*")) == [".runyard", ".theirs"]
    assert not (sweep_dir / "tensorboard").exists()
