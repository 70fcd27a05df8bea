"""Outputs of stages held to schemas of pandera and pyarrow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pyarrow
import pytest

from runyard import StageContext, run_stages
from runyard.base import UsageError
from runyard.pipeline.outputs import OutputError
from runyard.pipeline.tableschema import TableSchema, table_schema
from runyard.testing import active_run

_CALLS: list[str] = []


class Orders(pa.DataFrameModel):
    n: int = pa.Field(gt=0)
    kind: str = pa.Field(isin={"a", "b", "c", "007"})


orders = Orders.to_schema()
exact = pa.DataFrameSchema({"n": pa.Column(int, pa.Check(lambda column: column < 5))}, strict=True)
arrow = pyarrow.schema([pyarrow.field("n", pyarrow.int64(), nullable=False), ("kind", pyarrow.string())])
no_schema = {"n": "integer"}


def made() -> pyarrow.Schema:
    return arrow


def fails() -> None:
    raise OSError("no such luck")


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    _CALLS.clear()


def make(cfg: Mapping[str, Any], inputs: Mapping[str, Any], context: StageContext) -> None:
    _CALLS.append("make")
    frame, path = pd.DataFrame(cfg["rows"]), context.dir / cfg["file"]
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in cfg["rows"]))
    else:
        frame.to_parquet(path)


def _run(folder: Path, schema: Any, rows: list[dict[str, Any]], file: str = "x.csv", **more: Any) -> None:
    outputs = {"x": {"path": file, "schema": schema}}
    stages = {"make": {"_target_": f"{__name__}.make", "outputs": outputs, **more}}
    with active_run(folder):
        run_stages({"rows": rows, "file": file, "stages": stages})


def _named(name: str) -> dict[str, str]:
    return {"_target_": f"{__name__}.{name}"}


_GOOD = [{"n": 1, "kind": "a"}, {"n": 2, "kind": "007"}]


@pytest.mark.parametrize("file", ["x.csv", "x.jsonl", "x.parquet"])
@pytest.mark.parametrize("schema", ["Orders", "orders", "arrow", "made"])
def test_a_table_that_keeps_to_its_schema_passes(tmp_path: Path, schema: str, file: str) -> None:
    _run(tmp_path, _named(schema), _GOOD, file)
    assert _CALLS == ["make"]


@pytest.mark.parametrize("file", ["x.csv", "x.jsonl", "x.parquet"])
@pytest.mark.parametrize(
    ("schema", "row", "said"),
    [
        ("Orders", {"n": -1, "kind": "a"}, r"row 3, column 'n': -1 does not keep to greater_than\(0\)"),
        ("orders", {"n": 1, "kind": "z"}, r"row 3, column 'kind': 'z' does not keep to isin"),
        ("exact", {"n": 1, "kind": "a"}, "column 'kind' is not in the schema"),
        ("arrow", {"n": 1.5, "kind": "a"}, "column 'n' "),
        ("arrow", {"n": "many", "kind": "a"}, "column 'n' "),
        ("made", {"n": 1, "kind": "a", "m": 1}, "column 'm' is not in the schema"),
    ],
)
def test_what_breaks_a_schema_is_told_with_stage_output_and_column(
    tmp_path: Path, schema: str, row: dict[str, Any], said: str, file: str
) -> None:
    rows = [*_GOOD, row]
    if file.endswith("parquet") and row["n"] == "many":
        rows = [{**row, "n": "1"} for row in rows]  # a file of this kind has one type for a column
    with pytest.raises(OutputError, match=rf"output 'x' of stage 'make' \({file}\) breaks its schema .*: {said}"):
        _run(tmp_path, _named(schema), rows, file)


@pytest.mark.parametrize(("schema", "said"), [("Orders", "column 'kind' is missing"), ("arrow", "'kind' is missing")])
def test_a_missing_column_is_named(tmp_path: Path, schema: str, said: str) -> None:
    with pytest.raises(OutputError, match=said):
        _run(tmp_path, _named(schema), [{"n": 1}])


@pytest.mark.parametrize("file", ["x.csv", "x.jsonl"])
def test_an_empty_cell_is_refused_where_there_must_be_none(tmp_path: Path, file: str) -> None:
    with pytest.raises(OutputError, match=r"column 'n' .*(null|empty cell|1\.0)"):
        _run(tmp_path, _named("arrow"), [*_GOOD, {"n": None, "kind": "a"}], file)


@pytest.mark.parametrize("schema", ["Orders", "arrow"])
@pytest.mark.parametrize("file", ["x.csv", "x.parquet"])
def test_a_file_that_is_no_table_is_told(tmp_path: Path, schema: str, file: str) -> None:
    outputs = {"x": {"path": file, "schema": _named(schema)}}
    stages = {"make": {"command": ["touch", f"{{dir}}/{file}"], "outputs": outputs}}
    with active_run(tmp_path), pytest.raises(OutputError, match=r"output 'x' of stage 'make'"):
        run_stages({"stages": stages})


@pytest.mark.parametrize(
    ("schema", "file", "said"),
    [
        (_named("Order"), "x.csv", "cannot be imported"),
        ({"_target_": "nowhere.schema"}, "x.csv", "cannot be imported"),
        (_named("no_schema"), "x.csv", r"no schema of a table \(dict\)"),
        (_named("make"), "x.csv", r"make\(\) failed: TypeError"),
        (_named("fails"), "x.csv", "no such luck"),
        ({**_named("Orders"), "strict": True}, "x.csv", "unknown key 'strict'"),
        (_named("Orders"), "x.json", "x.json is no table"),
    ],
)
def test_a_schema_that_is_none_is_refused_before_anything_runs(
    tmp_path: Path, schema: dict[str, Any], file: str, said: str
) -> None:
    with pytest.raises(UsageError, match=rf"{said}[\s\S]*where: stages.make.outputs.x.schema[\s\S]*to do: "):
        _run(tmp_path, schema, _GOOD, file)
    assert _CALLS == []


def test_another_schema_under_the_same_name_is_another_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for job, most in enumerate((9, 9, 8)):
        schema = pa.DataFrameSchema({"n": pa.Column(int, pa.Check.lt(most))})
        monkeypatch.setattr(sys.modules[__name__], "exact", schema)
        monkeypatch.setenv("RUNYARD_STAGE_CACHE", str(tmp_path / "cache"))
        _run(tmp_path / str(job), _named("exact"), _GOOD, cache=True)
    assert _CALLS == ["make", "make"]


def test_another_text_of_a_json_schema_is_another_result(tmp_path: Path) -> None:
    file = tmp_path / "schema.json"
    for most in (9, 9, 8):
        file.write_text(json.dumps({"items": {"properties": {"n": {"type": "integer", "maximum": most}}}}))
        _run(tmp_path / "job", str(file), _GOOD)
    assert _CALLS == ["make", "make"]


def test_a_schema_is_the_same_in_every_process(tmp_path: Path) -> None:
    (tmp_path / "project_schemas.py").write_text(
        "import pandera.pandas as pa\n"
        "schema = pa.DataFrameSchema({'k': pa.Column(str, pa.Check.isin({'a', 'b', 'c', 'd', 'e'}))})\n"
    )
    code = (
        "from runyard.pipeline.tableschema import table_schema\n"
        "print(table_schema({'_target_': 'project_schemas.schema'}, 'x.csv', '').identity())\n"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONHASHSEED": str(seed)},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in range(2)
    }  # fmt: skip
    assert len(told) == 1
    assert "allowed_values" in told.pop()


def test_a_schema_of_another_library_is_told_apart_by_what_it_says() -> None:
    first = table_schema(_named("made"), "x.csv", "here")
    assert first == TableSchema(name=f"{__name__}.made", value=arrow)
    wider = TableSchema(name=first.name, value=arrow.append(pyarrow.field("m", pyarrow.float64())))
    assert wider.identity() != first.identity()
