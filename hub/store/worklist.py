"""The departments' worklist: one item per conflict, and where its review stands.

    open ──exported──► in review ──both right──► explained
      ▲                    │  the other is wrong: open, with the other department
      │                    ▼
    reopened ◄─found again─ resolved ◄─ no longer found at a publication (from any state)

Explained holds for the records it was said of: when one of them changes and the conflict stays, it
is reopened. No row holds a value of a record: remarks are sealed, persons and officials pseudonyms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from hub.store.models import WorklistCheckRow, WorklistItemRow
from hub.store.records import Records

_CHUNK = 500


class ItemState(StrEnum):
    """Where an item stands."""

    OPEN = "open"
    IN_REVIEW = "in_review"
    EXPLAINED = "explained"
    RESOLVED = "resolved"
    REOPENED = "reopened"


#: What a department still has to look at.
WAITING = (ItemState.OPEN, ItemState.REOPENED, ItemState.IN_REVIEW)


class Conclusion(StrEnum):
    """What a department found; DISPUTED is the hub's word when both say it is the other."""

    OWN_WRONG = "own_wrong"
    OTHER_WRONG = "other_wrong"
    BOTH_RIGHT = "both_right"
    UNVERIFIABLE = "unverifiable"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True)
class FoundItem:
    """A conflict as a publication found it.

    Args:
        department: code of the department that is asked first.
        evidence: changes when a record of the evidence does.
    """

    id: str
    kind: str
    title: str
    department: str
    evidence: str
    datasets: tuple[str, ...]
    batches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """An item as kept; times are UTC."""

    id: str
    kind: str
    title: str
    department: str
    state: ItemState
    evidence: str
    datasets: tuple[str, ...]
    batches: tuple[str, ...]
    first_seen_at: datetime
    last_seen_at: datetime
    last_version: str
    resolved_at: datetime | None
    times_reopened: int
    conclusion: Conclusion | None
    concluded_by: str | None
    concluded_at: datetime | None
    handed_from: str | None
    remark: bytes | None


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking against a publication changed, and how many conflicts stand now."""

    appeared: int
    resolved: int
    reopened: int
    standing: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a department says of an item.

    Args:
        department: who answers; it must be the one the item is assigned to.
        evidence: what it is an answer about; it must be the item's still.
        remark: sealed, or None.
        hand_to: the department to ask next when the other side is wrong; None when there is none.
    """

    id: str
    department: str
    conclusion: Conclusion
    evidence: str
    remark: bytes | None
    hand_to: str | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """How many items of a kind stand where, and since when the oldest of them does."""

    department: str
    kind: str
    title: str
    state: ItemState
    items: int
    oldest: datetime


class Worklist:
    """The worklist of one installation."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def checked(self, version: str) -> bool:
        """Say whether the worklist was checked against a publication."""
        with self._records.reading() as session:
            return session.get(WorklistCheckRow, version) is not None

    def check(self, version: str, found: Mapping[str, FoundItem], at: datetime) -> Checked:
        """Bring the worklist to what a publication found, once per publication.

        Only items that appear, change or go are written one by one; the rest in one statement.

        Returns:
            What changed; of a publication that was checked before, what changed then.
        """
        with self._records.writing() as session:
            done = session.get(WorklistCheckRow, version)
            if done is not None:
                return Checked(done.appeared, done.resolved, done.reopened, done.standing)
            result = _Checking(session, version, at).run(found)
            session.add(
                WorklistCheckRow(
                    version=version,
                    checked_at=at,
                    appeared=result.appeared,
                    resolved=result.resolved,
                    reopened=result.reopened,
                    standing=result.standing,
                )
            )
            return result

    def figures(
        self,
        department: str | None = None,
        kind: str | None = None,
        state: ItemState | None = None,
    ) -> tuple[Figure, ...]:
        """Return how many items stand where, by department, kind and state."""
        row = WorklistItemRow
        keys = (row.department, row.kind, row.title, row.state)
        query = select(*keys, func.count(), func.min(row.first_seen_at)).group_by(*keys)
        for column, wanted in ((row.department, department), (row.kind, kind), (row.state, state)):
            if wanted is not None:
                query = query.where(column == str(wanted))
        with self._records.reading() as session:
            found = session.execute(query.order_by(*keys)).all()
        return tuple(Figure(d, k, t, ItemState(s), n, oldest) for d, k, t, s, n, oldest in found)

    def items(
        self,
        department: str,
        states: Collection[ItemState] = WAITING,
        limit: int | None = None,
    ) -> tuple[Item, ...]:
        """Return a department's items at these states, the oldest first."""
        query = (
            select(WorklistItemRow)
            .where(
                WorklistItemRow.department == department,
                WorklistItemRow.state.in_([s.value for s in states]),
            )
            .order_by(WorklistItemRow.first_seen_at, WorklistItemRow.id)
            .limit(limit)
        )
        with self._records.reading() as session:
            return tuple(_item(row) for row in session.scalars(query))

    def named(self, ids: Sequence[str]) -> dict[str, Item]:
        """Return the items of these names that there are."""
        found: dict[str, Item] = {}
        with self._records.reading() as session:
            for chunk in _chunks(ids):
                query = select(WorklistItemRow).where(WorklistItemRow.id.in_(chunk))
                found.update((row.id, _item(row)) for row in session.scalars(query))
        return found

    def exported(self, ids: Sequence[str], at: datetime) -> None:
        """Note that items were handed to their department: those that were open are in review."""
        row = WorklistItemRow
        open_states = [ItemState.OPEN.value, ItemState.REOPENED.value]
        with self._records.writing() as session:
            for chunk in _chunks(ids):
                session.execute(update(row).where(row.id.in_(chunk)).values(exported_at=at))
                session.execute(
                    update(row)
                    .where(row.id.in_(chunk), row.state.in_(open_states))
                    .values(state=ItemState.IN_REVIEW.value)
                )

    def conclude(self, answers: Sequence[Answer], by: str, at: datetime) -> Counter[str]:
        """Take a department's answers, all in one transaction.

        Args:
            by: pseudonym of the official who answers.

        Returns:
            How many answers of each conclusion were taken; "gone" counts those about items that
            are resolved, of other evidence, or with another department by now, which change
            nothing.
        """
        taken: Counter[str] = Counter()
        with self._records.writing() as session:
            for answer in answers:
                row = session.get(WorklistItemRow, answer.id)
                if row is None or not _is_asked(row, answer):
                    taken["gone"] += 1
                    continue
                _conclude(row, answer)
                row.concluded_by, row.concluded_at, row.remark = by, at, answer.remark
                taken[row.conclusion or ""] += 1
        return taken


def _is_asked(row: WorklistItemRow, answer: Answer) -> bool:
    asked = (row.department, row.evidence) == (answer.department, answer.evidence)
    return asked and row.state != ItemState.RESOLVED.value


def _conclude(row: WorklistItemRow, answer: Answer) -> None:
    """Set conclusion and state; an item that has been handed over once is not handed back."""
    row.conclusion = answer.conclusion.value
    row.state = ItemState.IN_REVIEW.value
    if answer.conclusion is Conclusion.BOTH_RIGHT:
        row.state = ItemState.EXPLAINED.value
    elif answer.conclusion is Conclusion.OTHER_WRONG and row.handed_from is not None:
        row.conclusion = Conclusion.DISPUTED.value
    elif answer.conclusion is Conclusion.OTHER_WRONG and answer.hand_to is not None:
        row.handed_from, row.department = row.department, answer.hand_to
        row.state = ItemState.OPEN.value


class _Checking:
    """One check of the worklist against a publication, inside its transaction."""

    def __init__(self, session: Session, version: str, at: datetime) -> None:
        self._session = session
        self._version = version
        self._at = at

    def run(self, found: Mapping[str, FoundItem]) -> Checked:
        row = WorklistItemRow
        known = {
            name: (state, evidence)
            for name, state, evidence in self._session.execute(
                select(row.id, row.state, row.evidence)
            )
        }
        new = [item for name, item in found.items() if name not in known]
        gone = [n for n, (s, _) in known.items() if s != "resolved" and n not in found]
        back, changed = self._sort(known, found)
        self._insert(new)
        self._resolve(gone)
        self._change(changed, {})
        self._change(back, _FRESH)
        standing = update(row).where(row.state != ItemState.RESOLVED.value)
        self._session.execute(
            standing.values(last_version=self._version, last_seen_at=self._at),
            execution_options={"synchronize_session": False},
        )
        return Checked(len(new), len(gone), len(back), len(found))

    @staticmethod
    def _sort(
        known: Mapping[str, tuple[str, str]], found: Mapping[str, FoundItem]
    ) -> tuple[list[FoundItem], list[FoundItem]]:
        """Return the items to be reopened, and those of which only the evidence has changed."""
        back: list[FoundItem] = []
        changed: list[FoundItem] = []
        for name, item in found.items():
            state, evidence = known.get(name, ("", item.evidence))
            if state == ItemState.RESOLVED:
                back.append(item)
            elif evidence != item.evidence:
                (back if state == ItemState.EXPLAINED else changed).append(item)
        return back, changed

    def _insert(self, items: Sequence[FoundItem]) -> None:
        if not items:
            return
        seen = {
            "state": ItemState.OPEN.value,
            "times_reopened": 0,
            **{f"{end}_version": self._version for end in ("first", "last")},
            **{f"{end}_seen_at": self._at for end in ("first", "last")},
        }
        rows = [
            {
                "id": item.id,
                "kind": item.kind,
                "title": item.title,
                "department": item.department,
                **_evidence(item),
                **seen,
            }
            for item in items
        ]
        self._session.execute(insert(WorklistItemRow), rows)

    def _resolve(self, names: Sequence[str]) -> None:
        row = WorklistItemRow
        for chunk in _chunks(names):
            gone = update(row).where(row.id.in_(chunk))
            self._session.execute(
                gone.values(state=ItemState.RESOLVED.value, resolved_at=self._at),
                execution_options={"synchronize_session": False},
            )

    def _change(self, items: Sequence[FoundItem], more: Mapping[str, Any]) -> None:
        """Write the evidence of items; with `more`, reopen them and assign them anew."""
        if not items:
            return
        table = WorklistItemRow.__table__
        assert hasattr(table, "update")
        reopened = {"times_reopened": table.c.times_reopened + 1, **more} if more else {}
        names = ("evidence", "datasets", "batches", *(("department",) if more else ()))
        changed = (
            table.update()
            .where(table.c.id == bindparam("item"))
            .values({**{name: bindparam(f"new_{name}") for name in names}, **reopened})
        )
        rows = [
            {
                "item": item.id,
                **{f"new_{name}": value for name, value in _evidence(item).items()},
                **({"new_department": item.department} if more else {}),
            }
            for item in items
        ]
        self._session.connection().execute(changed, rows)


_FRESH: Mapping[str, Any] = {
    "state": ItemState.REOPENED.value,
    "resolved_at": None,
    "conclusion": None,
    "concluded_by": None,
    "concluded_at": None,
    "handed_from": None,
    "remark": None,
}


def _evidence(item: FoundItem) -> dict[str, Any]:
    return {
        "evidence": item.evidence,
        "datasets": list(item.datasets),
        "batches": list(item.batches),
    }


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), _CHUNK):
        yield names[start : start + _CHUNK]


def _item(row: WorklistItemRow) -> Item:
    return Item(
        id=row.id,
        kind=row.kind,
        title=row.title,
        department=row.department,
        state=ItemState(row.state),
        evidence=row.evidence,
        datasets=tuple(row.datasets),
        batches=tuple(row.batches),
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        last_version=row.last_version,
        resolved_at=row.resolved_at,
        times_reopened=row.times_reopened,
        conclusion=Conclusion(row.conclusion) if row.conclusion else None,
        concluded_by=row.concluded_by,
        concluded_at=row.concluded_at,
        handed_from=row.handed_from,
        remark=row.remark,
    )
