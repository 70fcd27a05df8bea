from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from tests.conftest import wait_for

from runyard import Stage, StageContext, StageResult, run_stages
from runyard.base import State, UsageError
from runyard.pipeline.command import CommandFailed
from runyard.pipeline.outputs import OutputError
from runyard.pipeline.running import StagesFailed, StageTimeout
from runyard.testing import active_run

_CALLS: list[str] = []
_SCHEMA = {"items": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    _CALLS.clear()


def prepare(cfg: Mapping[str, Any], inputs: Mapping[str, Any], context: StageContext) -> StageResult:
    _CALLS.append("prepare")
    (context.dir / "data.csv").write_text(f"n\n{cfg['n']}\n")
    return StageResult(metrics={"rows": 1}, outputs={"data": "data.csv"})


def train(cfg: Mapping[str, Any], inputs: Mapping[str, Any], context: StageContext) -> dict[str, float]:
    _CALLS.append("train")
    return {"loss": float(inputs["prepare"]["data"].read_text().split()[1])}


def broken(cfg: Mapping[str, Any], inputs: Mapping[str, Any], context: StageContext) -> None:
    _CALLS.append("broken")
    raise ValueError("no")


def endless(cfg: Mapping[str, Any], inputs: Mapping[str, Any], context: StageContext) -> None:
    while True:
        pass


def _two(**prepare_keys: Any) -> dict[str, Any]:
    first = {"_target_": f"{__name__}.prepare", **prepare_keys}
    return {"train": {"_target_": f"{__name__}.train", "needs": ["prepare"]}, "prepare": first}


def test_stages_run_in_the_order_of_their_needs_and_pass_outputs_on(tmp_path: Path) -> None:
    with active_run(tmp_path) as run:
        assert run_stages({"n": 3, "stages": _two()}) == {"rows": 1, "loss": 3.0}
        assert run.stages["train"].metrics == {"loss": 3.0}
    assert _CALLS == ["prepare", "train"]


def test_a_later_attempt_repeats_only_what_lost_its_outputs_and_what_needs_a_changed_one(tmp_path: Path) -> None:
    config = {"n": 3, "stages": _two()}
    for _ in range(2):
        with active_run(tmp_path):
            run_stages(config)
    assert _CALLS == ["prepare", "train"]
    (tmp_path / "prepare" / "data.csv").unlink()
    with active_run(tmp_path):
        run_stages(config)
    assert _CALLS == ["prepare", "train", "prepare"]  # the output is the same again: train is still done
    with active_run(tmp_path):
        assert run_stages({**config, "n": 4})["loss"] == 4
    assert _CALLS[3:] == ["prepare", "train"]


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        ({"a": {"command": "true", "needs": ["b"]}, "b": {"command": "true", "needs": ["a"]}}, "circle"),
        ({"prepare": {"command": "true"}, "a": {"command": "true", "needs": ["prepar"]}}, "did you mean 'prepare'"),
        ({"a": {"command": "true", "need": []}}, "did you mean 'needs'"),
        ({"a": {"_target_": "nowhere.fn"}}, "cannot be imported"),
        ({"a": {}}, "either _target_ or command"),
        ({"prepare": {"command": "true"}, "a": {"command": "true", "retries": -1}}, "retries is -1"),
        ({"a": {"command": "true", "timeout_min": 0}}, "timeout_min is 0"),
        ({"a": {"command": "true", "cache": {"key": ["n"]}}}, "did you mean 'keys'"),
        ({"a": {"command": "true", "cache": {"keys": ["m"]}}}, r"unknown key of the config 'm'[\s\S]*Known: n"),
        ({"a": {"command": "true", "outputs": {"x": {"pth": "x"}}}}, "did you mean 'path'"),
        ({"a": {"command": "true", "outputs": {"x": {"schema": {}}}}}, "an output has a path"),
        ({"a": {"command": "echo {cfg.m}"}}, "cfg.n"),
        ({"a": {"command": "true", "resources": {"gpu": 1}}}, "did you mean 'gpus'"),
        ({"a": {"command": "true", "resources": {"cpus": 1.5}}}, "cpus is 1.5"),
        ({"a": {"command": "true", "resources": {"mem_gb": "4"}}}, "mem_gb is 4"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(tmp_path: Path, stages: dict[str, Any], said: str) -> None:
    with active_run(tmp_path), pytest.raises(UsageError, match=said):
        run_stages({"n": 1, "stages": stages})


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ({"command": "echo {cfg.m}"}, r"unknown placeholder 'cfg.m'[\s\S]*stages.second.command[\s\S]*cfg.n"),
        ({"command": ["echo", "{inputs.prepare.dat}"], "needs": ["prepare"]}, "did you mean 'inputs.prepare.data'"),
        ({"command": "echo {inputs.prepare.data}"}, "unknown placeholder"),
        ({"command": "true", "files": ["{cfg.m}/*"]}, "stages.second.files"),
        ({"command": "true", "cache": {"keys": ["n.m"]}}, "unknown key of the config 'n.m'"),
        ({"command": "true", "outputs": {"x": {"path": "x.csv", "schema": "nowhere.json"}}}, "outputs.x.schema"),
    ],
)
def test_what_is_wrong_with_a_later_stage_is_found_before_the_first_one_runs(
    tmp_path: Path, second: dict[str, Any], said: str
) -> None:
    first = {"_target_": f"{__name__}.prepare", "outputs": {"data": "data.csv"}}
    with active_run(tmp_path), pytest.raises(UsageError, match=said):
        run_stages({"n": 1, "stages": {"prepare": first, "second": second}})
    assert _CALLS == []


def test_files_below_a_link_are_the_same_files(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "input.txt").write_text("a")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for job, root in enumerate(("real", "link")):
        with active_run(tmp_path / str(job)) as run:
            run.shared_dir = tmp_path / "shared"
            files = (str(tmp_path / root / "*.txt"),)
            run_stages({"n": 5}, [Stage(name="prepare", function=prepare, cache=True, files=files)])
    assert _CALLS == ["prepare"]


def test_what_does_not_need_a_failed_stage_goes_on_and_the_rest_is_pending(tmp_path: Path) -> None:
    bad = {"_target_": f"{__name__}.broken"}
    stages = {"bad": bad, "after": {"command": "true", "needs": ["bad"]}, **_two(), "worse": bad}
    with active_run(tmp_path) as run:
        with pytest.raises(StagesFailed, match=r"bad: ValueError: no; worse: ValueError"):
            run_stages({"n": 1, "stages": stages})
        assert run.stages["after"].state is State.PENDING
        assert run.stages["train"].state is State.COMPLETED


def test_a_stage_that_was_done_stays_so_when_what_it_needs_fails_later(tmp_path: Path) -> None:
    stages = {**_two(), "last": {"command": "true", "needs": ["train", "bad"]}}
    bad = {"bad": {"_target_": f"{__name__}.broken"}}
    with active_run(tmp_path), pytest.raises(ValueError, match="no"):
        run_stages({"n": 3, "stages": {**bad, **stages}})
    before = (tmp_path / "train" / "stage.json").read_text()
    (tmp_path / "prepare" / "data.csv").unlink()
    stages["prepare"] = {"command": "false"}
    with active_run(tmp_path, attempt=2) as run:
        with pytest.raises(StagesFailed):
            run_stages({"n": 3, "stages": {**bad, **stages}})
        assert run.stages["train"].state is State.COMPLETED
        assert run.stages["train"].metrics == {"loss": 3.0}
        assert run.stages["last"].state is State.PENDING
    assert (tmp_path / "train" / "stage.json").read_text() == before
    assert _CALLS == ["broken", "prepare", "train", "broken"]


def test_a_stage_is_tried_again_as_often_as_it_may_be(tmp_path: Path) -> None:
    with active_run(tmp_path), pytest.raises(ValueError, match="no"):
        run_stages({}, [Stage(name="bad", function=broken, retries=2)])
    assert _CALLS == ["broken"] * 3


def test_a_function_that_takes_too_long_fails(tmp_path: Path) -> None:
    with active_run(tmp_path), pytest.raises(StageTimeout, match="slow"):
        run_stages({}, [Stage(name="slow", function=endless, timeout_min=0.001)])


def test_a_table_that_breaks_its_schema_fails_its_stage_and_names_row_and_column(tmp_path: Path) -> None:
    outputs = {"data": {"path": "data.csv", "schema": _SCHEMA}}
    with active_run(tmp_path), pytest.raises(OutputError, match="row 1, column 'n'"):
        run_stages({"n": "many", "stages": _two(outputs=outputs)})
    assert _CALLS == ["prepare"]


def test_an_output_outside_of_the_folder_fails(tmp_path: Path) -> None:
    with active_run(tmp_path), pytest.raises(OutputError, match="outside"):
        run_stages({"n": 1}, [Stage(name="prepare", function=prepare, outputs={"x": "../x"})])


def test_a_command_gives_its_output_exit_code_and_metrics_of_both_ways(tmp_path: Path) -> None:
    code = "import json; json.dump({{'b': 2}}, open(r'{dir}/m.json', 'w')); print('hello'); print('{{\"a\": {cfg.n}}}')"
    stages = {"run": {"command": ["{python}", "-c", code], "metrics": "m.json"}}
    with active_run(tmp_path):
        assert run_stages({"n": 7, "stages": stages}) == {"a": 7, "b": 2}
    assert (tmp_path / "run" / "stdout.log").read_text() == 'hello\n{"a": 7}\n'
    assert json.loads((tmp_path / "run" / "command.json").read_text())["exit_code"] == 0


def test_a_command_that_fails_tells_its_code_and_the_end_of_its_log(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import sys; sys.exit('out of luck')")
    with active_run(tmp_path), pytest.raises(CommandFailed, match="exit code 1: out of luck"):
        run_stages({}, [Stage(name="run", command=command)])


def test_a_cached_stage_runs_once_for_jobs_that_share_its_keys(tmp_path: Path) -> None:
    stages = _two(cache={"keys": ["n"]})
    for job, (n, m) in enumerate([(1, 1), (1, 2), (2, 1)]):
        with active_run(tmp_path / str(job)) as run:
            run.shared_dir = tmp_path / "shared"
            assert run_stages({"n": n, "m": m, "stages": stages}) == {"rows": 1, "loss": n}
    assert _CALLS == ["prepare", "train", "train", "prepare", "train"]
    assert json.loads((tmp_path / "1" / "prepare" / "stage.json").read_text())["how"].startswith("cached from job")


def test_a_damaged_entry_of_the_cache_is_computed_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for job in range(2):
        with active_run(tmp_path / str(job)) as run:
            run.shared_dir = tmp_path / "shared"
            assert run_stages({"n": 5}, [Stage(name="prepare", function=prepare, cache=True)]) == {"rows": 1}
        (entry,) = (tmp_path / "shared" / "stages" / "prepare").glob("*/files/data.csv")
        entry.write_text("n\n6\n")
    assert _CALLS == ["prepare", "prepare"]
    assert "damaged" in caplog.text


def test_what_a_killed_attempt_left_does_not_get_into_the_cache(tmp_path: Path) -> None:
    (tmp_path / "prepare").mkdir()
    (tmp_path / "prepare" / "half").write_text("half")
    with active_run(tmp_path):
        run_stages({"n": 5}, [Stage(name="prepare", function=prepare, cache=True)])
    files = (tmp_path / "shared" / "stages" / "prepare").glob("*/files/*")
    assert [path.name for path in files] == ["data.csv"]


def test_secrets_of_the_config_are_in_no_record(tmp_path: Path) -> None:
    config = {"db": {"password": "hush-hush"}}
    command = ("echo", "--token", "quiet", "{cfg.db.password}")
    with active_run(tmp_path):
        run_stages(config, [Stage(name="run", command=command, cache=True)])
    assert (tmp_path / "run" / "stdout.log").read_text() == "--token quiet hush-hush\n"
    arguments = json.loads((tmp_path / "run" / "command.json").read_text())["arguments"]
    assert arguments == ["echo", "--token", "***", "***"]
    (entry,) = (tmp_path / "shared" / "stages" / "run").glob("*/entry.json")
    assert "hush-hush" not in entry.read_text()


def test_a_command_that_takes_too_long_is_killed_with_what_it_started(tmp_path: Path) -> None:
    command = f"sleep 600 & echo $! > {tmp_path}/pid; wait"
    with active_run(tmp_path / "job"), pytest.raises(CommandFailed, match=r"took longer than 0\.02 min"):
        run_stages({}, [Stage(name="run", command=command, shell=True, timeout_min=0.02)])
    started = int((tmp_path / "pid").read_text())
    wait_for(lambda: not is_running(started))


def is_running(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_in_a_shell_values_are_quoted(tmp_path: Path) -> None:
    with active_run(tmp_path):
        run_stages({"text": "a b; exit 3"}, [Stage(name="run", command="printf %s {cfg.text} | cat", shell=True)])
    assert (tmp_path / "run" / "stdout.log").read_text() == "a b; exit 3"


def test_a_changed_file_is_another_result_and_a_missing_one_is_named(tmp_path: Path) -> None:
    data = tmp_path / "input.txt"
    stage = Stage(name="prepare", function=prepare, files=(str(tmp_path / "*.txt"),), cache=True)
    with active_run(tmp_path / "job"), pytest.raises(UsageError, match="no file matches"):
        run_stages({"n": 1}, [stage])
    for text in ("a", "a", "b"):
        data.write_text(text)
        with active_run(tmp_path / "job"):
            run_stages({"n": 1}, [stage])
    assert _CALLS == ["prepare", "prepare"]


def test_sweeps_share_the_cache_that_the_variable_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNYARD_STAGE_CACHE", str(tmp_path / "cache"))
    for sweep in ("one", "two"):
        with active_run(tmp_path / sweep) as run:
            run.shared_dir = tmp_path / sweep / "shared"
            run_stages({"n": 5}, [Stage(name="prepare", function=prepare, cache=True)])
    assert _CALLS == ["prepare"]


def as_yaml(path: Path, value: Any) -> None:
    path.write_text(yaml.safe_dump(value))


def as_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value))


def as_lines(path: Path, value: Any) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in value))


def as_parquet(path: Path, value: Any) -> None:
    pd.DataFrame(value).to_parquet(path)


@pytest.mark.parametrize(
    ("name", "write", "place"),
    [
        ("x.json", as_json, "key '1.n'"),
        ("x.yaml", as_yaml, "key '1.n'"),
        ("x.jsonl", as_lines, "row 2, column 'n'"),
        ("x.parquet", as_parquet, "row 2, column 'n'"),
    ],
)
def test_every_kind_of_file_is_held_to_its_schema_which_may_lie_in_a_file(
    tmp_path: Path, name: str, write: Any, place: str
) -> None:
    schema = {"type": "array", "items": {"properties": {"n": {"maximum": 3}}}}
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    outputs = {"x": {"path": name, "schema": str(tmp_path / "schema.json")}}

    def make(cfg: Mapping[str, Any], inputs: Mapping[str, Any], context: StageContext) -> None:
        write(context.dir / name, [{"n": 1}, {"n": cfg["n"]}])

    with active_run(tmp_path / "good"):
        run_stages({"n": 3}, [Stage(name="make", function=make, outputs=outputs)])
    with active_run(tmp_path / "bad"), pytest.raises(OutputError, match=place):
        run_stages({"n": 4}, [Stage(name="make", function=make, outputs=outputs)])
