"""Parquet: typed columns as the text they stand for, in the same form as every other file.

The file is decoded here as a whole, so that a damaged page is found before the check.

Source: Apache Parquet format; nested columns and encryption are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assets.delivery.headers import HeaderReader
from assets.delivery.table import BATCH_ROWS, Table, write_arrays
from hub.errors import DeliveryRefused

_DAMAGED = "the Parquet file is damaged or cut off: write it again and deliver it again"
_WHOLE_LIMIT = 1e18


def read_columnar(path: Path, target: Path, headers: HeaderReader) -> Table:
    """Write a Parquet file as a table of text.

    Raises:
        DeliveryRefused: when it is damaged, has nested columns, or its columns do not fit.
    """
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            columns = headers.resolve(schema.names)
            nested = [str(i) for i, t in enumerate(schema.types, 1) if pa.types.is_nested(t)]
            if nested:
                raise DeliveryRefused(
                    f"columns {', '.join(nested)} are nested: write plain values only"
                )
            rows = write_arrays(target, columns, _batches(file))
    except (pa.ArrowException, OSError, ValueError):
        raise DeliveryRefused(_DAMAGED) from None
    return Table(target, columns, rows, 1, {})


def _batches(file: pq.ParquetFile) -> Iterator[tuple[Sequence[int], list[pa.Array]]]:
    start = 1
    for batch in file.iter_batches(BATCH_ROWS):
        yield range(start, start + batch.num_rows), [as_text(column) for column in batch.columns]
        start += batch.num_rows


def as_text(values: pa.Array) -> pa.Array:
    """Return an array as text: whole floats without point, dates and times as in ISO 8601."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return as_text(values.dictionary_decode())
    if pa.types.is_floating(kind):
        values = values.cast(pa.float64())
        whole = pc.and_(pc.equal(values, pc.trunc(values)), pc.less(pc.abs(values), _WHOLE_LIMIT))
        numbers = pc.if_else(whole, values, None).cast(pa.int64()).cast(pa.string())
        return pc.coalesce(numbers, values.cast(pa.string()))
    text = values.cast(pa.string())
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        return pc.replace_substring_regex(text, r"\.0+(Z?)$", r"\1")
    return text
