"""The results as a Parquet file; needs the optional pyarrow."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from runyard.analyze.cells import Cell, Columns, cell_text, kind_of
from runyard.analyze.jobtable import fits_int64
from runyard.base import write_bytes


def write_parquet(path: Path, columns: Columns) -> list[str]:
    """Writes columns of cells. An empty cell is null and a reported NaN is NaN; mixed columns are text, as in CSV.

    Returns:
        A sentence when it could not be made because pyarrow is missing.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        return [f"{path.name} was not made: pyarrow is not installed ({error}); pip install 'runyard[parquet]'"]
    data = io.BytesIO()
    table = pyarrow.table({name: _array(pyarrow, cells) for name, cells in columns.items()})
    pyarrow.parquet.write_table(table, data)
    write_bytes(path, data.getvalue())
    return []


def _array(pyarrow: Any, cells: list[Cell]) -> Any:
    kind = kind_of(cells)
    if kind == "bool":
        return pyarrow.array(cells, pyarrow.bool_())
    if kind == "int" and fits_int64(cells):
        return pyarrow.array(cells, pyarrow.int64())
    if kind in ("float", "empty") and fits_int64(cells):
        floats = [None if cell is None else float(cell) for cell in cells]
        return pyarrow.array(floats, pyarrow.float64(), from_pandas=False)
    return pyarrow.array([None if cell is None else cell_text(cell) for cell in cells], pyarrow.string())
