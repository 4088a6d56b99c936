"""Records that contradict each other, to the one department that has to find and mend its own.

Of the department's own records the whole row is shown, since it has to find and mend it; of
another's only the columns that disagree, and of those only what policy opens. One entry per person
shown; where the ledger cannot record, nothing is released. Refusals are recorded as well.

Source: 政务数据共享条例 26 (correction between departments).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from access.answers import Receipt
from access.asking import (
    Asked,
    Means,
    ask,
    not_shown,
    reading,
    shown,
    too_much,
    traits_about,
)
from access.beside import Beside, parties
from access.disclosure import Part
from access.limits import Over
from access.model import Action, Actor, Decision, Request
from access.ports import SnapshotReader
from access.recording import Prepared
from access.releasing import beside_of, incidental
from access.rendering import Document
from access.usage_record import UsageRecord

PURPOSE = "quality.reconcile"
WAIT_SECONDS = 300.0  # a department's list may be many thousand entries


@dataclass(frozen=True, slots=True)
class Matter:
    """One conflict to be shown.

    Args:
        subjects: subject keys of the persons concerned, one or two.
        evidence: (dataset, record key) of each record that shows it.
        shows: (dataset, column) of the disagreement.
    """

    id: str
    subjects: tuple[bytes, ...]
    evidence: tuple[tuple[str, bytes], ...]
    shows: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """One record of a matter as the department may see it.

    Args:
        own: whether it is the department's own, shown whole.
        since: day of the batch that brought this version, ISO.
        values: column -> value; what may not be seen is absent.
    """

    dataset: str
    own: bool
    since: str
    batch: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a department may see of its matters; a refusal has a reason and no records.

    Args:
        records: matter id -> its records, in the order of the evidence.
        persons: how many persons were shown, each with an entry in the ledger.
    """

    allowed: bool
    reason: str
    remedy: str
    records: Mapping[str, tuple[ShownRecord, ...]]
    persons: int
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was shown of one person, by which rules."""

    datasets: dict[str, None] = field(default_factory=dict)
    rules: dict[str, None] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)

    def note(
        self, decision: Decision, dataset: str, columns: Iterable[str], kinds: Mapping[str, str]
    ) -> None:
        """Note which columns of a dataset were shown, how, and by which decision."""
        self.datasets[dataset] = None
        self.rules.update(dict.fromkeys(decision.rules))
        names = (f"{dataset}.{column}" for column in columns)
        self.fields.update({name: kinds[name] for name in names if name in kinds})


def prepare(
    means: Means, actor: Actor, case: str, matters: Sequence[Matter]
) -> Prepared[Reconciled]:
    """Decide and read what the actor's department may see of matters.

    Raises:
        NotFound, SourceError, KeyMissing: when the documents cannot be read.
    """
    own = tuple(d.name for d in means.catalog.values() if d.owner == actor.agency)
    request = Request(actor, Action.RECONCILE, own, PURPOSE, case, at=means.clock.now())
    asked = ask(means, request, "")
    decision = asked.decision

    def over(what: Over) -> Prepared[Reconciled]:
        return Prepared((too_much(means, asked, what),), _Answer(False, what.reason, what.remedy))

    if not decision.allowed:
        told = not_shown(means, asked, Part(refused=True))
        return Prepared((told,), _Answer(False, decision.reason, decision.remedy), over)
    snapshot = means.snapshots.current()
    asked = reading(means, asked, snapshot)
    seen: dict[bytes, _Seen] = {}
    beside = beside_of(means, asked)
    views = {m.id: tuple(_shown(means, asked, m, snapshot, seen, beside)) for m in matters}
    records = [_disclosure(means, asked, key, what) for key, what in seen.items()]
    records.extend(incidental(means, asked, beside))
    return Prepared(tuple(records), _Answer(True, decision.reason, "", views, len(seen)), over)


@dataclass(frozen=True, slots=True, repr=False)  # no representation shows what is still locked
class _Answer:
    """Makes the answer of a receipt."""

    allowed: bool
    reason: str
    remedy: str
    records: Mapping[str, tuple[ShownRecord, ...]] = field(default_factory=dict)
    persons: int = 0

    def __call__(self, receipt: Receipt) -> Reconciled:
        return Reconciled(
            self.allowed, self.reason, self.remedy, self.records, self.persons, receipt
        )


def _shown(
    means: Means,
    asked: Asked,
    matter: Matter,
    snapshot: SnapshotReader,
    seen: dict[bytes, _Seen],
    beside: Beside,
) -> Iterator[ShownRecord]:
    actor = asked.actor
    documents = {key: means.finder.open(snapshot, key) for key in matter.subjects}
    for dataset, record_key in matter.evidence:
        found = _find(documents, dataset, record_key.hex())
        if found is None:
            continue
        plan = means.decider.plan(replace(asked.request, datasets=(dataset,)))
        key, document, record = found
        if not plan.decision.allowed or f"{dataset}.{record['role']}" in plan.withheld:
            continue
        own = means.catalog[dataset].owner == actor.agency
        traits = traits_about(means, asked, key, document)
        view = plan.view(in_area=True, traits=traits)
        if view is None:
            continue
        values = {
            column: value
            for column, value in view.values(dataset, record["clear"], record["sealed"]).items()
            if own or (dataset, column) in matter.shows
        }
        kinds = view.kinds.get(dataset, {})
        seen.setdefault(key, _Seen()).note(plan.decision, dataset, values, kinds)
        others = parties(means.catalog[dataset], record["others"], values, kinds)
        beside.see(key, traits, others)
        yield ShownRecord(dataset, own, record["since"], record["batch"], values)


def _disclosure(means: Means, asked: Asked, key: bytes, what: _Seen) -> UsageRecord:
    """Each record was asked for by itself: what the ledger is told has what was, and the rules, of this person."""
    decision = replace(asked.decision, rules=tuple(what.rules))
    context = replace(asked.context, decision=decision, asked=tuple(what.datasets))
    asked = replace(asked, context=context)
    part = Part(means.keys.label.of(key), datasets=what.datasets, fields=what.fields)
    return shown(means, asked, part)


def _find(
    documents: Mapping[bytes, Document | None], dataset: str, record: str
) -> tuple[bytes, Document, Mapping[str, Any]] | None:
    """Return the person, document and record under a record key, None where it is not held."""
    for key, document in documents.items():
        for held in document["records"] if document is not None else ():
            if held["record"] == record and held["dataset"] == dataset:
                return key, document or {}, held
    return None
