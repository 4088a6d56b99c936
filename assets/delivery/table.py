"""Rows of a workbook, page or JSON file as one relation: a clear Parquet file, all text.

Source: Apache Parquet; row numbers are 1-based and count the rows under the header.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from assets.delivery.work import sql_path
from hub.files import open_private

BATCH_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Table:
    """A clear Parquet file with `row_number` BIGINT and text columns.

    Args:
        first_line: line or sheet row at which row number 1 stands.
        changes: (column or "", transform) -> how often.
    """

    path: Path
    columns: tuple[str, ...]
    rows: int
    first_line: int
    changes: dict[tuple[str, str], int]

    def sql(self) -> str:
        """Return the SELECT that reads it: `row_number` and every column as VARCHAR."""
        return f"SELECT * FROM read_parquet({sql_path(self.path)})"


def write_batches(
    path: Path,
    columns: Sequence[str],
    batches: Iterable[tuple[Sequence[int], Sequence[Sequence[str | None]]]],
) -> int:
    """Write batches of (row numbers, one list per column) and return how many rows they had."""
    arrays = ((n, [pa.array(v, pa.string()) for v in values]) for n, values in batches)
    return write_arrays(path, columns, arrays)


def write_arrays(
    path: Path,
    columns: Sequence[str],
    batches: Iterable[tuple[Sequence[int], list[pa.Array]]],
) -> int:
    """Write batches of (row numbers, one text array per column); return the number of rows."""
    fields = [pa.field("row_number", pa.int64()), *(pa.field(c, pa.string()) for c in columns)]
    schema = pa.schema(fields)
    rows = 0
    with (
        open_private(path) as file,
        pq.ParquetWriter(file, schema, compression="lz4", write_statistics=False) as writer,
    ):
        for numbers, arrays in batches:
            numbered = [pa.array(numbers, pa.int64()), *arrays]
            writer.write_batch(pa.record_batch(numbered, schema=schema))
            rows += len(numbers)
    return rows
