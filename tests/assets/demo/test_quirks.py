from __future__ import annotations

import unicodedata

import numpy as np
import pyarrow as pa
import pytest

from assets.demo.quirks import QUIRKS, Quirk, apply
from hub.identifiers import ResidentId
from tests.assets.demo.conftest import Generated
from tests.assets.demo.reading import contracts, rows_of

NONE_SPARED = np.zeros(4, np.bool_)


def _apply(quirk: Quirk, values: list[str | None]) -> list[str | None]:
    spared = np.zeros(len(values), np.bool_)
    column = {quirk.column: pa.array(values, pa.string())}
    altered: list[str | None] = apply(np.random.default_rng(1), column, (quirk,), spared)[
        quirk.column
    ].to_pylist()
    return altered


def test_quirks_name_columns_of_their_contract() -> None:
    for dataset, quirks in QUIRKS.items():
        columns = {item.name for item in contracts()[dataset].properties}
        assert {quirk.column for quirk in quirks} <= columns


def test_spared_rows_stay_as_they_are() -> None:
    quirk = Quirk("c", 1.0, lambda value, _: value + "!")
    column = {"c": pa.array(["a", "b"])}

    altered = apply(np.random.default_rng(1), column, (quirk,), np.array([True, False]))
    assert altered["c"].to_pylist() == ["a", "b!"]


def test_an_empty_quirk_fills_only_empty_cells() -> None:
    assert _apply(Quirk("c", 1.0, lambda *_: "无", empty=True), ["a", None]) == ["a", "无"]
    assert _apply(Quirk("c", 1.0, lambda value, _: value + "!"), ["a", None]) == ["a!", None]


@pytest.mark.parametrize("dataset", ["population.resident", "housing.tenancy"])
def test_odd_numbers_are_still_the_same_number(generated: Generated, dataset: str) -> None:
    delivery = next(d for d in generated.first.deliveries if d.dataset == dataset)
    column = next(p.name for p in contracts()[dataset].properties if p.semantic == "resident_id")
    odd = [str(row[column]) for row in rows_of(delivery)]
    plain = [n for n in odd if ResidentId.parse(n) and len(n) == 18]
    mended = [n for n in odd if ResidentId.parse(_mended(n))]

    assert any(n.endswith(("×", "x", "Ｘ", "Х")) for n in odd)
    assert any(len(n) == 15 for n in odd)
    assert len(plain) < len(mended)
    assert len(mended) > 0.99 * len(odd)


def _mended(number: str) -> str:
    narrow = unicodedata.normalize("NFKC", number).strip("' \u00a0").replace(" ", "")
    return narrow.replace("×", "X").replace("Х", "X").upper()


def test_every_date_notation_occurs(generated: Generated) -> None:
    delivery = next(d for d in generated.first.deliveries if d.dataset == "population.resident")
    born = [str(row["birth_date"]) for row in rows_of(delivery)]

    for sign in ("-", ".", "/", "年"):
        assert any(sign in value for value in born)
    assert any(value.isdigit() for value in born)
