"""Questions to the guard and its answers: what a door turns HTTP into, and renders.

An answer exists only with a receipt: whatever it shows is already in the ledger. A refusal is an
answer too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from access.model import Decision
from hub.store.exports import ExportFile


@dataclass(frozen=True, slots=True)
class LookupQuery:
    """One person, by identity number or by the handle of an earlier answer.

    Args:
        datasets: datasets by name, or None for all that the purpose covers.
        request_id: the door's name for the request; one is made when empty.
    """

    by: Literal["resident_id", "handle"]
    value: str = field(repr=False)
    purpose: str
    case: str | None = None
    datasets: tuple[str, ...] | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A short list of persons, by name and birth date, telephone number or full address.

    Args:
        birth_date: ISO date, with by="name_birth" only.
    """

    by: Literal["name_birth", "phone", "address"]
    value: str = field(repr=False)
    purpose: str
    birth_date: str | None = field(default=None, repr=False)
    case: str | None = None
    datasets: tuple[str, ...] | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class SampleQuery:
    """A drawn sample of one dataset's persons, to be verified on the spot.

    Args:
        subjects: subject keys, in the order in which they are wanted.
    """

    dataset: str
    subjects: tuple[bytes, ...] = field(repr=False)
    case: str | None
    purpose: str = "quality.field_check"
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class StatsQuery:
    """Counts of a dataset's records.

    Args:
        by: one to three dimensions: clear columns, generalised columns (birth_year), or "month"
            of its time column, "street", "community", "grid" of its area column.
        first_month, last_month: YYYY-MM, both included, of the dataset's time column.
        area: division or grid code the records must lie in.
        protection: small cells out and the others rounded, or every cell with noise, which costs
            a part of the actor's budget.
    """

    dataset: str
    by: tuple[str, ...]
    purpose: str = "statistics.publish"
    first_month: str | None = None
    last_month: str | None = None
    area: str | None = None
    protection: Literal["rounding", "noise"] = "rounding"
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class ExportQuery:
    """A file of all persons of an area, with the columns of one dataset that were granted.

    Args:
        area: division or grid codes; none for the whole area of the actor's post.
        form: "csv" or "jsonl".
    """

    dataset: str
    purpose: str
    case: str | None = None
    area: tuple[str, ...] = ()
    form: str = "csv"
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class UnmaskQuery:
    """Asks for a mask to be lifted for one person, with a second person's approval.

    Args:
        columns: "dataset.column" of everything that is to be seen in clear.
        reason: kept in the records; without a person's number.
    """

    by: Literal["resident_id", "handle"]
    value: str = field(repr=False)
    columns: tuple[str, ...]
    purpose: str
    case: str
    reason: str = field(repr=False)
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class EmergencyQuery:
    """Opens an emergency: a few persons at once, reviewed afterwards.

    Args:
        persons: so many persons at most; None for as many as the policy allows.
        minutes: so long, at most 60.
        reason: kept in the records; without a person's number.
    """

    purpose: str
    case: str
    reason: str = field(repr=False)
    persons: int | None = None
    minutes: int = 60
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class UnderQuery:
    """One person, under a lifted mask or an emergency of one's own.

    Args:
        number: of the lifted mask or emergency.
        case: the case it was asked for.
    """

    number: int
    by: Literal["resident_id", "handle"]
    value: str = field(repr=False)
    case: str
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where the use stands in the ledger.

    Args:
        index: position of the first entry.
        indexes: position of every entry: one for each person shown.
        leaf: RFC 9162 leaf hash of the first entry, hexadecimal.
        checkpoint: signed note over a tree that holds them all.
    """

    index: int
    indexes: tuple[int, ...]
    leaf: str
    checkpoint: str

    def text(self) -> str:
        """Return the receipt as JSON, for `parse`."""
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str) -> Receipt:
        """Return the receipt that `text` wrote."""
        parts = json.loads(text)
        return cls(**{**parts, "indexes": tuple(parts["indexes"])})


@dataclass(frozen=True, slots=True)
class RecordView:
    """What may be seen of one record; hidden columns are absent.

    Args:
        role: the subject's role in it.
        since: ISO date since which the hub holds it in this form.
    """

    dataset: str
    role: str
    record: str
    batch: str
    since: str
    values: Mapping[str, Any]
    treatments: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SubjectView:
    """What may be seen of one person.

    Args:
        handle: names a listed person towards this actor for an hour; opaque. Empty where one
            person was looked up.
        golden: field -> {value, source, since, treatment} of the integrated record.
    """

    handle: str
    golden: Mapping[str, Mapping[str, Any]]
    records: tuple[RecordView, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The guard's answer about persons.

    Args:
        allowed: False for a refusal; True with no subjects means that nobody was found.
        more: whether a list was cut at its cap.
        snapshot_version: version that was read; empty when nothing was.
        wait_seconds: when it may be asked again, where it was refused for being too much.
    """

    allowed: bool
    reason: str
    remedy: str
    decision: Decision
    subjects: tuple[SubjectView, ...]
    more: bool
    receipt: Receipt
    request_id: str
    time: datetime
    policy_version: str
    snapshot_version: str
    wait_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class ExportAnswer:
    """The guard's answer about a file of persons: the file to be fetched, None where it is refused."""

    answer: Answer
    file: ExportFile | None


@dataclass(frozen=True, slots=True)
class NoiseSpent:
    """What noised counts cost. Epsilon is in thousandths; it protects one record, not one person.

    Args:
        epsilon: of this answer.
        spent: by the actor on the dataset in the period, this answer included.
        budget: of the period.
        period: calendar month or year, "2026-03" or "2026".
    """

    epsilon: int
    spent: int
    budget: int
    period: str


@dataclass(frozen=True, slots=True)
class StatsAnswer:
    """The guard's answer about counts.

    Args:
        columns: dimensions, then "count".
        rows: one row per cell; the count is None where the cell is suppressed.
        threshold: smallest count that is shown; 0 with noise.
        suppressed: number of suppressed cells, those left out of the rows included.
        wait_seconds: when it may be asked again, where it was refused for being too much.
        rounded_to: counts are multiples of it; 1 with noise.
        noise: what the noise cost, None where there is none.
    """

    allowed: bool
    reason: str
    remedy: str
    decision: Decision
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    threshold: int
    suppressed: int
    rounded_to: int
    noise: NoiseSpent | None
    receipt: Receipt
    request_id: str
    time: datetime
    policy_version: str
    snapshot_version: str
    wait_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Withheld:
    """That a use was lawfully kept from its subject until an instant (RFC 3339), and why."""

    until: str
    ground: str
    legal_basis: str


@dataclass(frozen=True, slots=True)
class Erased:
    """That a use was erased at an instant (RFC 3339), by which office, on which ground (a code)."""

    at: str
    by: str
    ground: str


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a person's data, as that person sees it.

    Args:
        index: position in the ledger; `Guard.own_proof` proves it.
        time: RFC 3339.
        action: what was done, as `access.usage_record.UsageAction` has it; `road` by what question.
        role: "asked_about", or "incidental" where something of another person was asked for.
        fields: {dataset, column, title, how} of every column shown.
        with_case: whether a case reference was given.
        snapshot, lake_snapshot: what was read, so that it can be shown again; empty and None where
            nothing was.
        under: where the lifted mask or emergency it rests on stands, as `access.emergency.State`
            has it; empty where it rests on none.
        withheld: until when and why it was kept from the person, None where it was not.
        erased: when, by whom and why it was erased; nothing else is known of it then but the time.
        persons: how many persons are in the file, where it was given in one; None elsewhere.
    """

    index: int
    time: str
    outcome: Literal["allowed", "refused", "erased"]
    agency: str = ""
    agency_title: str = ""
    post: str = ""
    purpose: str = ""
    purpose_title: str = ""
    legal_basis: str = ""
    action: str = ""
    road: str = ""
    role: str = ""
    datasets: tuple[str, ...] = ()
    fields: tuple[Mapping[str, str], ...] = ()
    with_case: bool = False
    reason: str = ""
    snapshot: str = ""
    lake_snapshot: int | None = None
    request: str = ""
    under: str = ""
    withheld: Withheld | None = None
    erased: Erased | None = None
    persons: int | None = None
