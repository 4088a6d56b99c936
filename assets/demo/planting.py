"""Planting: from sound rows to the rows a department would send, with the truth of each error.

Recipes first, then cleanable oddities on the rows left sound, then repeated rows. One row carries
at most one error, so that every figure can be told apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from assets.demo import quirks
from assets.demo.columns import Column, Flags, Ints, put, table
from assets.demo.district import District
from assets.demo.errors import Recipe, duplicate, seen_as
from assets.demo.recipes import CONFLICTING_COLUMN, DUPLICATES, RECIPES, SPOILT
from assets.demo.truth import TruthRow


@dataclass(frozen=True, slots=True)
class Rows:
    """Sound rows of one dataset in one block.

    Args:
        columns: name -> column; the first one is the key.
        persons: person index of each row, -1 for none; may have several columns.
        among: row masks that recipes draw from.
        already: recipe whose error the rows of a mask already carry, with that mask.
        spared: rows that must stay sound and plain.
    """

    dataset: str
    columns: Mapping[str, Column]
    persons: Ints
    among: Mapping[str, Flags] = field(default_factory=dict)
    already: tuple[Recipe, Flags] | None = None
    spared: Flags | None = None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


class Planter:
    """Plants one period's errors, block after block, keeping the rates over all of them."""

    def __init__(self, district: District, later: int, spoilt: frozenset[str], take: int) -> None:
        self._district = district
        self._stream = (later, take)
        self._spoilt = spoilt
        self._owed: dict[tuple[str, str, str], float] = {}
        self._written: dict[str, int] = {}
        self._blocked: Flags = np.zeros(0, np.bool_)
        self.truth: list[TruthRow] = []
        self.files: dict[str, str] = {}

    def begin(self, persons: int) -> None:
        """Start a block of so many persons."""
        self._blocked = np.zeros(persons, np.bool_)

    @property
    def blocked(self) -> Flags:
        """Persons of the block with an error in some row about them: no conflicts on top."""
        return self._blocked

    def due(self, dataset: str, kind: str, column: str, share: float) -> int:
        """Return how many errors of a kind are due now; what is left over stays owed."""
        key = (dataset, kind, column)
        owed = self._owed.get(key, 0.5) + share
        self._owed[key] = owed - int(owed)
        return int(owed)

    def plant(self, rows: Rows, block: int) -> dict[str, Column]:
        """Return the columns to write, and remember what was planted where."""
        if not self._district.errors or not len(rows):
            self._written[rows.dataset] = self._written.get(rows.dataset, 0) + len(rows)
            return dict(rows.columns)
        random = self._district.random(rows.dataset, block, *self._stream)
        spared = rows.spared if rows.spared is not None else np.zeros(len(rows), np.bool_)
        columns, touched, planted = self._follow_recipes(rows, random, spared.copy())
        columns = quirks.apply(random, columns, quirks.QUIRKS[rows.dataset], touched)
        order, copies = self._repeat(rows, random, touched)
        final = {name: column.take(pa.array(order)) for name, column in columns.items()}
        position = np.searchsorted(order, np.arange(len(rows)))
        for recipe, chosen in planted:
            self._note(rows, recipe, columns, chosen, position[chosen])
        self._note_copies(rows, order, copies, final)
        self._written[rows.dataset] = self._written.get(rows.dataset, 0) + len(order)
        return final

    def _follow_recipes(
        self, rows: Rows, random: np.random.Generator, touched: Flags
    ) -> tuple[dict[str, Column], Flags, list[tuple[Recipe, Ints]]]:
        columns = dict(rows.columns)
        planted: list[tuple[Recipe, Ints]] = []
        if rows.already is not None:
            planted.append((rows.already[0], np.flatnonzero(rows.already[1])))
            touched |= rows.already[1]
        for recipe in self._recipes(rows.dataset):
            chosen = self._choose(rows, recipe, columns, touched, random)
            columns.update(recipe.alter(columns, chosen, random))
            touched[chosen] = True
            planted.append((recipe, chosen))
            if recipe.detectable_by == "check":
                self._block(rows.persons, chosen)
        return columns, touched, planted

    def _recipes(self, dataset: str) -> tuple[Recipe, ...]:
        extra = (SPOILT[dataset],) if dataset in self._spoilt else ()
        return (*extra, *RECIPES[dataset])

    def _choose(
        self,
        rows: Rows,
        recipe: Recipe,
        columns: Mapping[str, Column],
        touched: Flags,
        random: np.random.Generator,
    ) -> Ints:
        present = columns[recipe.column].is_valid().to_numpy(zero_copy_only=False)
        free = ~touched & (present | (recipe.kind == "end_before_start"))
        if recipe.among:
            free = free & rows.among[recipe.among]
        base = len(rows)
        if recipe.detectable_by == "cross-source":
            base = int(rows.among[recipe.among].sum())
            free = free & ~self._blocked[np.maximum(table(rows.persons)[:, 0], 0)]
        where = np.flatnonzero(free)
        key = (rows.dataset, recipe.kind, recipe.column)
        due = self.due(*key, recipe.rate * base)
        if due > len(where):
            self._owed[key] += due - len(where)
            due = len(where)
        return np.sort(random.choice(where, due, replace=False)) if due else where[:0]

    def _block(self, persons: Ints, rows: Ints) -> None:
        concerned = persons[rows].ravel()
        self._blocked[concerned[concerned >= 0]] = True

    def _repeat(
        self, rows: Rows, random: np.random.Generator, touched: Flags
    ) -> tuple[Ints, list[tuple[str, Ints]]]:
        """Return the order of rows with repeated ones after their originals, and which they are."""
        copies: list[tuple[str, Ints]] = []
        shares = DUPLICATES.get(rows.dataset, (0.0, 0.0))
        for kind, share in zip(("duplicate_exact", "duplicate_conflict"), shares, strict=True):
            among = (
                rows.among.get("settled", ~touched) if kind == "duplicate_conflict" else ~touched
            )
            free = np.flatnonzero(~touched & among)
            due = min(self.due(rows.dataset, kind, "", share * len(rows)), len(free))
            chosen = np.sort(random.choice(free, due, replace=False))
            touched[chosen] = True
            self._block(rows.persons, chosen if kind == "duplicate_conflict" else chosen[:0])
            copies.append((kind, chosen))
        index = np.concatenate([np.arange(len(rows)), *(chosen for _, chosen in copies)])
        return np.sort(index, kind="stable"), copies

    def _note(
        self, rows: Rows, recipe: Recipe, columns: Mapping[str, Column], chosen: Ints, at: Ints
    ) -> None:
        def cells(column: Column | None) -> list[str | None]:
            if column is None:
                return [None] * len(chosen)
            found: list[str | None] = column.take(pa.array(chosen)).to_pylist()
            return found

        records = cells(rows.columns[next(iter(rows.columns))])
        values, sexes = cells(columns[recipe.column]), cells(columns.get("sex"))
        subjects = cells(columns[recipe.subject] if recipe.subject else None)
        facts = zip(at.tolist(), records, values, sexes, subjects, strict=True)
        for place, record, value, sex, subject in facts:
            as_found = seen_as(recipe, value, sex)
            hidden = value if as_found.detectable_by == "none" else None
            self._add(rows.dataset, place, as_found, record, subject or hidden)

    def _note_copies(
        self, rows: Rows, order: Ints, copies: list[tuple[str, Ints]], final: dict[str, Column]
    ) -> None:
        """Record the second of two equal rows, and both of two that are made to differ here."""
        key = next(iter(rows.columns))
        for kind, chosen in copies:
            second = np.searchsorted(order, chosen) + 1
            places = second
            if kind == "duplicate_conflict" and len(chosen):
                name = CONFLICTING_COLUMN[rows.dataset]
                final[name] = put(final[name], second, ["另一单位"] * len(chosen))
                places = np.sort(np.concatenate([second - 1, second]))
            records = rows.columns[key].take(pa.array(order[places])).to_pylist()
            for place, record in zip(places.tolist(), records, strict=True):
                self._add(rows.dataset, place, duplicate(kind, key), record, None)

    def _add(
        self, dataset: str, place: int, recipe: Recipe, record: str | None, subject: str | None
    ) -> None:
        row = TruthRow(
            dataset,
            self._district.period(self._stream[0]),
            self.files[dataset],
            self._written.get(dataset, 0) + place + 1,
            recipe.column,
            recipe.kind,
            recipe.detectable_by,
            recipe.rule,
            record or "",
            subject or "",
        )
        self.truth.append(row)
