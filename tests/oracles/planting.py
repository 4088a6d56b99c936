"""One error of every kind a contract's schema can name, planted into clean rows."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.model import Contract, Property
from hub.identifiers import resident_check_character

Row = dict[str, str | None]


def planted(of: Contract, rows: list[Row]) -> list[Row]:
    """Return the rows with one row for each error, and one key given twice.

    A row gets one error only. Raises ValueError when there are too few rows.
    """
    spoiled = [dict(row) for row in rows]
    places = iter(range(2, len(rows)))
    for item in of.properties:
        for value in _errors(item):
            place = next(places, None)
            if place is None:
                raise ValueError(f"{of.name}: too few rows for every error")
            spoiled[place][item.name] = value
    for name in of.key:
        spoiled[1][name] = spoiled[0][name]
    return spoiled


def _errors(item: Property) -> Iterator[str | None]:
    options = item.options
    if item.required and item.key_position is None:
        yield None
    if options.max_length is not None:
        yield "很" * (options.max_length + 1)
    if (options.min_length or 0) > 1:
        yield "9"
    if options.pattern:
        yield "QQ"
    if options.minimum is not None:
        yield "1800-01-01" if item.logical_type == "date" else str(float(options.minimum) - 1)
    if item.code_set or item.semantic == "division_code":
        yield "QQ"
    if item.logical_type == "date":
        yield from ("1990-02-30", "2031-01-01")
    if item.semantic == "resident_id":
        body = "99999919900307123"  # well formed, of a county that never was
        yield body + resident_check_character(body)
        yield "9.9010619900307E+17"
