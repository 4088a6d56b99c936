"""What one request shows of each column: purpose, level, role and clearance, then the combination.

A column is shown as its purpose needs it, never clearer than the policy's ceiling for its level,
and what may not be clear is masked by what it means; without a mask it is hidden. Then the view
is looked at as a whole, because columns that are harmless one by one give back together what
each hides: an identity number shown 6+4 hides nothing but the birth date.

Source: ISO/IEC 20889:2018 on linking of attributes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from access.masking import AGE_BAND, BY_SEMANTIC, FULL, MASKS, PSEUDONYM, Mask, kind
from access.model import CLEAR, HIDDEN, Action, Fields
from access.purposes import Need, Purpose
from hub.catalog import Classification, Column, Dataset

_ID_LIKE = frozenset({"resident_id", "disability_certificate"})
_PARTY = frozenset({"address", "birth_date", "person_name", "phone", *_ID_LIKE})
_COARSE_ENOUGH = frozenset({"generalised_year", AGE_BAND, FULL, HIDDEN, PSEUDONYM})
#: Column that points to a standard address, whose text anybody may look up.
_ADDRESS_REFERENCE = "address_id"
_ORDER = ("id_6_4", "id_1_1")  # from mild to strict


@dataclass(frozen=True, slots=True)
class Ceiling:
    """How far a policy opens one dataset in one area.

    Args:
        clear: highest level that may be clear, 0 for none.
        masked: highest level that may be shown at all, 0 for none.
        lifts: protections that do not apply.
    """

    clear: int
    masked: int
    lifts: frozenset[str] = frozenset()

    @property
    def open(self) -> bool:
        """Whether anything may be seen."""
        return self.masked > 0


CLOSED = Ceiling(0, 0)


def lower(one: Ceiling, other: Ceiling) -> Ceiling:
    """Return the lower of two ceilings, level by level."""
    lifts = one.lifts & other.lifts
    return Ceiling(min(one.clear, other.clear), min(one.masked, other.masked), lifts)


def is_police(dataset: Dataset) -> bool:
    """Say whether a dataset is about police matters, whose parties are protected."""
    return dataset.name.startswith("police.")


def is_party_column(column: Column) -> bool:
    """Say whether a column tells who a party of a police matter is."""
    return column.role is not None or column.semantic in _PARTY


def decide_fields(
    datasets: Iterable[tuple[Dataset, Ceiling]],
    purpose: Purpose,
    action: Action,
    clearance: Classification,
) -> dict[str, str]:
    """Return the treatment of every column of the datasets, as one view of one subject.

    Returns:
        "dataset.column" -> treatment; hidden columns are listed too.
    """
    shown = tuple(datasets)
    fields: dict[str, str] = {}
    for dataset, ceiling in shown:
        for column in dataset.columns:
            need = purpose.need(dataset.name, column.name)
            fields[f"{dataset.name}.{column.name}"] = (
                _aggregate(dataset, column, ceiling, need)
                if action is Action.AGGREGATE
                else _treatment(dataset, column, ceiling, need, action, clearance)
            )
            if action is Action.AGGREGATE:
                fields.update(_derived(dataset, column, ceiling, need))
    return fields if action is Action.AGGREGATE else combine(shown, fields)


def _aggregate(dataset: Dataset, column: Column, ceiling: Ceiling, need: Need | None) -> str:
    """Counting needs no clearance, but only columns outside the sealed part that name no one."""
    open_level = need is not None and column.classification <= ceiling.clear
    return CLEAR if open_level and is_countable(dataset, column) else HIDDEN


def is_countable(dataset: Dataset, column: Column) -> bool:
    """Say whether counting by a column counts anything: it stays clear and names no one thing."""
    names_one = column.name in dataset.key or column.name.endswith(("_id", "_no"))
    about_a_person = column.role is not None and column.code_set is None
    place = column.semantic == "division_code"
    return not column.sealed and not names_one and (place or not about_a_person)


def _derived(
    dataset: Dataset, column: Column, ceiling: Ceiling, need: Need | None
) -> dict[str, str]:
    """A generalised column is of level 2 at most: derived data is graded anew."""
    level = min(column.classification, Classification.L2)
    usable = CLEAR if need is not None and level <= ceiling.clear else HIDDEN
    return {f"{dataset.name}.{name}": usable for name in column.clear_as}


def _treatment(
    dataset: Dataset,
    column: Column,
    ceiling: Ceiling,
    need: Need | None,
    action: Action,
    clearance: Classification,
) -> str:
    level = column.classification
    if need is None or level > ceiling.masked:
        return HIDDEN
    protected = is_police(dataset) and "police_parties" not in ceiling.lifts
    if column.semantic == "free_text" and (
        protected or action in (Action.OWN, Action.SEARCH, Action.LIST)
    ):
        return HIDDEN  # may name anybody
    if protected and action is not Action.OWN and is_party_column(column):
        return FULL
    if need == PSEUDONYM:
        return PSEUDONYM
    if need in ("generalised", "age_band"):
        return _generalised(column, need)
    in_list = action in (Action.SEARCH, Action.LIST)
    may_clear = level <= ceiling.clear and (level <= clearance or action is Action.OWN)
    if in_list and (column.semantic in BY_SEMANTIC or level > Classification.L2):
        may_clear = False
    if may_clear and (need == "clear" or (need == "unmask" and action is Action.UNMASK)):
        return CLEAR
    return mask_of(column, in_list=in_list)


def mask_of(column: Column, *, in_list: bool = False) -> str:
    """Return the mask for a column that may not be clear, `hidden` when it has none."""
    masks = BY_SEMANTIC.get(column.semantic or "")
    return masks[in_list] if masks else HIDDEN


def _generalised(column: Column, need: Need) -> str:
    if column.logical_type not in ("date", "timestamp"):
        return HIDDEN
    if need == "age_band":
        return AGE_BAND
    if column.semantic == "birth_date":
        return "generalised_year"
    return f"generalised_{next(iter(column.clear_as.values()), 'year')}"


def combine(
    datasets: tuple[tuple[Dataset, Ceiling], ...], fields: dict[str, str]
) -> dict[str, str]:
    """Return the fields with every combination closed that gives back what it hides.

    * What has a pseudonym somewhere is never shown beside it in another way: the pair would tell
      whose pseudonym it is.
    * Identity numbers and disability certificates (which begin with one) are all as strict as
      the strictest of them that is shown.
    * Beside a number shown 6+4 a birth date is a year or coarser; where a purpose wants the birth date
      generalised, no number is clear.
    * Where a dataset's addresses are masked, nothing points to the standard address.
    * A police matter whose parties are protected is not shown beside who the subject is.
    """
    out = dict(fields)
    columns = {f"{d.name}.{c.name}": c for d, _ in datasets for c in d.columns}
    _align_pseudonyms(columns, out)
    _align_numbers(columns, out)
    _close_birth_dates(columns, out)
    for dataset, _ in datasets:
        _close_address_reference(dataset, out)
    _withhold_police(datasets, columns, out)
    return out


def _shown(columns: Mapping[str, Column], out: Fields, semantics: Iterable[str]) -> list[str]:
    wanted = frozenset(semantics)
    return [
        key
        for key, column in columns.items()
        if column.semantic in wanted and out[key] not in (HIDDEN, FULL, PSEUDONYM)
    ]


def _align_pseudonyms(columns: Mapping[str, Column], out: dict[str, str]) -> None:
    meant = {c.semantic for key, c in columns.items() if c.semantic and out[key] == PSEUDONYM}
    if meant & _ID_LIKE:
        meant |= _ID_LIKE
    out.update(dict.fromkeys(_shown(columns, out, meant), PSEUDONYM))


def _align_numbers(columns: Mapping[str, Column], out: dict[str, str]) -> None:
    numbers = _shown(columns, out, _ID_LIKE)
    generalised = any(
        column.semantic == "birth_date"
        and (kind(out[key]) == "generalised" or out[key] == PSEUDONYM)
        for key, column in columns.items()
    )
    masks = [out[key] for key in numbers if out[key] != CLEAR]
    if generalised and not masks and numbers:
        masks = ["id_6_4"]
    if masks:
        strictest = max(masks, key=_ORDER.index)
        out.update(dict.fromkeys(numbers, strictest))


def _close_birth_dates(columns: Mapping[str, Column], out: dict[str, str]) -> None:
    if not any(out[key] == "id_6_4" for key in _shown(columns, out, _ID_LIKE)):
        return
    for key, column in columns.items():
        if column.semantic == "birth_date" and out[key] not in _COARSE_ENOUGH:
            out[key] = "generalised_year"


def _close_address_reference(dataset: Dataset, out: dict[str, str]) -> None:
    columns = (c.name for c in dataset.columns if c.semantic == "address")
    addresses = [out[f"{dataset.name}.{name}"] for name in columns]
    if "address_community" in addresses and CLEAR not in addresses:
        key = f"{dataset.name}.{_ADDRESS_REFERENCE}"
        if key in out:
            out[key] = HIDDEN


def _withhold_police(
    datasets: tuple[tuple[Dataset, Ceiling], ...],
    columns: Mapping[str, Column],
    out: dict[str, str],
) -> None:
    protected = {
        d.name
        for d, ceiling in datasets
        if is_police(d) and any(out[f"{d.name}.{c.name}"] == FULL for c in d.columns)
    }
    named = any(key.rpartition(".")[0] not in protected for key in _shown(columns, out, _PARTY))
    if named:
        out.update({key: HIDDEN for key in out if key.rpartition(".")[0] in protected})


@dataclass(frozen=True, slots=True)
class View:
    """A decision's fields, compiled for applying to many records.

    Args:
        plans: dataset -> (column, mask or None for clear) of every column shown.
        treatments: dataset -> column -> treatment of every column shown.
        kinds: "dataset.column" -> clear, masked or generalised, per dataset, for the ledger.
        cells: "dataset.column" -> (dataset, treatment, mask or None) of every column shown.
    """

    plans: Mapping[str, tuple[tuple[str, Mask | None], ...]]
    treatments: Mapping[str, Mapping[str, str]]
    kinds: Mapping[str, Mapping[str, str]]
    cells: Mapping[str, tuple[str, str, Mask | None]]

    def values(
        self, dataset: str, clear: Mapping[str, Any], sealed: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return what the view shows of one record; a dataset it does not know shows nothing."""
        held = {**clear, **sealed}
        return {
            column: value
            if mask is None or value is None
            else mask(value if isinstance(value, str) else str(value))
            for column, mask in self.plans.get(dataset, ())
            if (value := held.get(column, held)) is not held  # itself: the record has it not
        }


def compile_view(fields: Fields, masks: Mapping[str, Mask] = MASKS) -> View:
    """Return the view of decided fields. A treatment without a mask hides.

    Args:
        masks: treatment -> mask, as they are today towards who asks.
    """
    plans: dict[str, list[tuple[str, Mask | None]]] = {}
    treatments: dict[str, dict[str, str]] = {}
    kinds: dict[str, dict[str, str]] = {}
    cells: dict[str, tuple[str, str, Mask | None]] = {}
    for key, treatment in fields.items():
        dataset, _, column = key.rpartition(".")
        if treatment != CLEAR and treatment not in masks:
            continue
        cells[key] = (dataset, treatment, masks.get(treatment))
        plans.setdefault(dataset, []).append((column, masks.get(treatment)))
        treatments.setdefault(dataset, {})[column] = treatment
        kinds.setdefault(dataset, {})[key] = kind(treatment)
    return View({name: tuple(plan) for name, plan in plans.items()}, treatments, kinds, cells)


def strictest(one: Fields, other: Fields) -> dict[str, str]:
    """Return fields as strict as two views of the same columns, whichever is the stricter.

    A column that one of them does not show is hidden; two different masks make it wholly masked.
    """
    return {key: _stricter(how, other.get(key, HIDDEN)) for key, how in one.items()}


def _stricter(one: str, other: str) -> str:
    if one in (other, HIDDEN) or other == CLEAR:
        return one
    return other if one == CLEAR or other == HIDDEN else FULL


def hide_numbers(fields: Fields) -> dict[str, str]:
    """Return the fields for whoever found the subject by a search: numbers show 1+1, not 6+4.

    Who searches knows the birth date, or finds by an address or telephone number the same subject
    whose birth date an earlier search was by; 6+4 hides nothing but that date.
    """
    return {key: "id_1_1" if how == "id_6_4" else how for key, how in fields.items()}


def harden_for_minor(
    fields: Fields, datasets: Mapping[str, Dataset], lifts: Mapping[str, frozenset[str]]
) -> dict[str, str]:
    """Return the fields for a subject under fourteen: everything of level 3 and above full.

    Source: PIPL 28 (all personal information of children under fourteen is sensitive).
    """
    out: dict[str, str] = {}
    for key, treatment in fields.items():
        dataset, _, column = key.rpartition(".")
        protected = (
            treatment != HIDDEN
            and "minors" not in lifts.get(dataset, frozenset())
            and _is_sensitive(datasets[dataset], column)
        )
        out[key] = FULL if protected else treatment
    return out


def _is_sensitive(dataset: Dataset, column: str) -> bool:
    found = dataset.column(column)
    return found.classification >= Classification.L3 or found.semantic in BY_SEMANTIC
