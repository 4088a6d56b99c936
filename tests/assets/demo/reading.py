"""Reads what the generator wrote, without the product's own parser: the two can disagree."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from functools import lru_cache

import openpyxl
import pyarrow.parquet as pq

from assets.demo.outbox import FORMS, Delivery, headers_of
from contracts.loader import load_contracts
from contracts.model import Contract

Row = dict[str, str | None]


@lru_cache(maxsize=1)
def contracts() -> dict[str, Contract]:
    """Return the built-in contracts by dataset."""
    return {contract.name: contract for contract in load_contracts()}


def rows_of(delivery: Delivery) -> list[Row]:
    """Return the rows of a delivered file by contract column, as text; None for an empty cell."""
    headers = headers_of(contracts()[delivery.dataset], FORMS[delivery.dataset])
    columns = {header: column for column, header in headers.items()}
    return [{columns[k]: v for k, v in row.items()} for row in _raw(delivery)]


def _raw(delivery: Delivery) -> Iterator[Row]:
    if delivery.format == "csv":
        text = delivery.path.read_bytes().decode(delivery.encoding)
        for cells in csv.DictReader(io.StringIO(text, newline="")):
            yield {k: v or None for k, v in cells.items()}
    elif delivery.format == "jsonl":
        for line in delivery.path.read_text("utf-8").splitlines():
            yield {k: None if v is None else str(v) for k, v in json.loads(line).items()}
    elif delivery.format == "parquet":
        for cells in pq.read_table(delivery.path).to_pylist():
            yield {k: None if v is None else str(v) for k, v in cells.items()}
    else:
        yield from _sheet(delivery)


def _sheet(delivery: Delivery) -> Iterator[Row]:
    book = openpyxl.load_workbook(delivery.path, read_only=True)
    try:
        _, header, *body = book.worksheets[0].iter_rows(values_only=True)
    finally:
        book.close()
    for cells in body[:-1]:  # the last line is the total
        named = zip(header, cells, strict=False)
        yield {str(k): None if v is None else str(v) for k, v in named if k is not None}
