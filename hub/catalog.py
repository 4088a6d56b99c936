"""What the hub holds: datasets and columns, as every layer above sees them.

`contracts.loader` fills the catalogue from the ODCS files; `access` and `api` read it here,
so neither has to know the other. Levels are those of GB/T 43697-2024, sharing types those of
the State Council's order on sharing government data (809).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from hub.errors import NotFound


class Classification(IntEnum):
    """General-data level by harm: 1 none, 2 general, 3 serious, 4 especially serious."""

    L1 = 1
    L2 = 2
    L3 = 3
    L4 = 4


class SharingType(StrEnum):
    """Whether other departments may have a dataset at all."""

    UNCONDITIONAL = "unconditional"
    CONDITIONAL = "conditional"
    NOT_SHARED = "not_shared"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a dataset.

    Args:
        name: snake_case name, unique in its dataset.
        title: what people call it (the contract's businessName).
        logical_type: ODCS logical type: string, integer, number, boolean, date, timestamp.
        classification: harm level of the value when linked to a person.
        semantic: what the value means, which decides cleaning, checks and mask (resident_id,
            person_name, phone, address, birth_date, free_text, ...), or None.
        role: which data subject of the row the value is about (e.g. "husband"), or None when it
            is about the record as a whole.
        sealed: True when the clear value never leaves the sealed blob.
        clear_as: names of generalised columns that do stay clear (e.g. {"birth_year": "year"}).
        code_set: name of the code list that explains the value, or None.
    """

    name: str
    title: str
    logical_type: str
    classification: Classification
    semantic: str | None = None
    role: str | None = None
    sealed: bool = False
    clear_as: Mapping[str, str] = field(default_factory=dict)
    code_set: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset: columns in contract order and the rules that bind its use.

    Args:
        subjects: subject role -> name of the column with that subject's identity number; empty
            for a dataset about no person.
        area_column: clear column with the division or grid code, or None.
        time_column: column with the date that statistics by month count, or None.
        update_cycle: realtime, daily, weekly, monthly, quarterly or yearly.
        mode: "full" when each delivery is the whole dataset, "append" when it adds events.
    """

    name: str
    title: str
    owner: str
    version: str
    sharing: SharingType
    legal_basis: str
    update_cycle: str
    mode: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    subjects: Mapping[str, str] = field(default_factory=dict)
    area_column: str | None = None
    time_column: str | None = None
    description: str = ""

    def column(self, name: str) -> Column:
        """Return the column of that name.

        Raises:
            NotFound: when the dataset has none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise NotFound(f"dataset {self.name} has no column {name!r}")


class Catalog(Mapping[str, Dataset]):
    """Every dataset by name, in name order."""

    def __init__(self, datasets: tuple[Dataset, ...]) -> None:
        self._datasets = {item.name: item for item in sorted(datasets, key=lambda d: d.name)}

    def __getitem__(self, name: str) -> Dataset:
        try:
            return self._datasets[name]
        except KeyError:
            raise NotFound(f"目录中没有数据集 / no dataset {name!r} in the catalogue") from None

    def __contains__(self, name: object) -> bool:
        return name in self._datasets

    def __iter__(self) -> Iterator[str]:
        return iter(self._datasets)

    def __len__(self) -> int:
        return len(self._datasets)
