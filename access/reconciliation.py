"""The guard's road for reconciliation: records that contradict each other, to one department.

The steps are those of `access.guard`: decide, read the least, apply the decision, record, release.
Of the department's own records the whole row is shown, since it has to find and mend it; of
another's only the columns that disagree, and of those only what policy opens. One entry per person
shown; where the ledger cannot record, nothing is released. Refusals are recorded as well.

Source: 政务数据共享条例 26 (correction between departments); XACML 3.0 (PEP).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from access.answers import Receipt
from access.decision import Plan
from access.disclosure import Context
from access.finding import Finder
from access.means import Means
from access.model import Action, Actor, Request
from access.ports import SnapshotReader
from access.recording import Prepared, Recorder
from access.rendering import Document, document_is_minor
from hub.ledger.writer import Entry

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
    """What was shown of one person."""

    datasets: dict[str, None] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)


class Reconciler:
    """Shows departments what they contradict each other about."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._finder = Finder(means.keys, means.clock)
        self._recorder = Recorder(means.ledger, WAIT_SECONDS)

    def release(self, actor: Actor, case: str, matters: Sequence[Matter]) -> Reconciled:
        """Return what the actor's department may see of matters, once the uses are recorded.

        Raises:
            LedgerError: when the uses could not be recorded; nothing is released.
            NotFound, SourceError, KeyMissing: when the documents cannot be read.
        """
        catalog = self._means.decider.catalog
        own = tuple(d.name for d in catalog.values() if d.owner == actor.agency)
        decision = self._plan(actor, case, own).decision
        if not decision.allowed:
            context = self._means.context(actor, decision, case.strip())
            entry = self._means.entry(context, False, datasets=(), outcome="refused")
            receipt = self._record([entry])
            return Reconciled(False, decision.reason, decision.remedy, {}, 0, receipt)
        snapshot = self._means.snapshots.current()
        seen: dict[bytes, _Seen] = {}
        records = {m.id: tuple(self._shown(actor, case, m, snapshot, seen)) for m in matters}
        context = self._means.context(actor, decision, case.strip(), snapshot=snapshot.version)
        entries = [self._disclosure(context, key, what) for key, what in seen.items()]
        receipt = self._record(entries) if entries else Receipt(0, (), "", "")
        return Reconciled(True, decision.reason, "", records, len(seen), receipt)

    def _plan(self, actor: Actor, case: str, datasets: tuple[str, ...]) -> Plan:
        return self._means.decider.plan(Request(actor, Action.RECONCILE, datasets, PURPOSE, case))

    def _shown(
        self,
        actor: Actor,
        case: str,
        matter: Matter,
        snapshot: SnapshotReader,
        seen: dict[bytes, _Seen],
    ) -> Iterator[ShownRecord]:
        documents = {key: self._finder.open(snapshot, key) for key in matter.subjects}
        for dataset, record_key in matter.evidence:
            found = _find(documents, dataset, record_key.hex())
            plan = self._plan(actor, case, (dataset,)) if found is not None else None
            if found is None or plan is None or not plan.decision.allowed:
                continue
            key, document, record = found
            if f"{dataset}.{record['role']}" in plan.withheld:
                continue
            own = self._means.decider.catalog[dataset].owner == actor.agency
            minor = document_is_minor(document, self._means.clock.now().date())
            view = plan.view(in_area=True, minor=minor)
            if view is None:
                continue
            values = {
                column: value
                for column, value in view.values(dataset, record["clear"], record["sealed"]).items()
                if own or (dataset, column) in matter.shows
            }
            what = seen.setdefault(key, _Seen())
            what.datasets[dataset] = None
            kinds = view.kinds.get(dataset, {})
            what.fields.update(
                {name: kinds[name] for c in values if (name := f"{dataset}.{c}") in kinds}
            )
            yield ShownRecord(dataset, own, record["since"], record["batch"], values)

    def _disclosure(self, context: Context, key: bytes, what: _Seen) -> Entry:
        label = self._means.keys.label.of(key)
        return self._means.entry(
            context, True, label=label, datasets=what.datasets, fields=what.fields
        )

    def _record(self, entries: Sequence[Entry]) -> Receipt:
        return self._recorder.release(Prepared(tuple(entries), lambda receipt: receipt))


def _find(
    documents: Mapping[bytes, Document | None], dataset: str, record: str
) -> tuple[bytes, Document, Mapping[str, Any]] | None:
    """Return the person, document and record under a record key, None where it is not held."""
    for key, document in documents.items():
        for held in document["records"] if document is not None else ():
            if held["record"] == record and held["dataset"] == dataset:
                return key, document or {}, held
    return None
