"""The worklist handed to a department as a workbook, and its answers taken back.

Handing out is a disclosure: what leaves is decided by policy and recorded in the ledger, one entry
per person, before the workbook exists. Command line, API and pages all come through here.
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from access.model import Actor
from access.roads.reconciliation import Matter, Reconciled, ShownRecord
from api.services import Services
from api.vocabulary import Vocabulary
from assets.delivery.limits import Limits
from assets.guarded.sheets import Sheet
from assets.guarded.writing import write_workbook
from assets.integrated.rules import ConflictRule, load_person_rules
from assets.reconciliation.answers import LIMITS, GivenAnswer, read_answers, refuse_outdated
from assets.reconciliation.sheets import ANSWERS, COLUMNS, DEPARTMENT, ITEM, seal_of
from hub.catalog import Catalog
from hub.cells import plain
from hub.clock import Clock
from hub.config import Settings
from hub.errors import AccessDenied, NotFound, RequestError
from hub.events import AuditEvent, EventTag
from hub.keyring import Keyring
from hub.ledger.writer import Entry
from hub.sealing import Pseudonymiser, Sealer
from hub.store import lake
from hub.store.conflicts import Conflict, ItemNames, is_there, read_conflicts
from hub.store.worklist import Answer, Item, ItemState, Worklist

_HEADINGS = (ITEM, "不一致 what disagrees", "首次发现 first seen", "本方记录 our record")
_TAIL = ("对方 the other side", "对方答复 their answer", "处理 what to do")
_TITLES = {conclusion: text for text, conclusion in ANSWERS.items()}
_TITLE_UNFIT = str.maketrans(dict.fromkeys("[]:*?/\\'", "_"))


#: Of what comes over HTTP, beside the people who are served; the most items that go out fit
#: into a tenth of it.
UPLOADED = Limits(file_bytes=16 << 20, clear_bytes=192 << 20, ratio=100, cells=1_000_000)


@dataclass(frozen=True, slots=True)
class Order:
    """Who wants their department's worklist.

    Args:
        actor: the official it is handed to; the ledger knows only a pseudonym.
        case: reference of the review.
        limit: at most so many items, the oldest first.
    """

    actor: Actor
    case: str
    limit: int


@dataclass(frozen=True, slots=True)
class HandedOut:
    """What a workbook holds; `left` items wait for the next one."""

    items: int
    persons: int
    sheets: int
    left: int


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What a returned workbook said.

    Args:
        answers: conclusion -> how many were taken; "gone": about items that are resolved or with
            another department by now.
        unanswered: rows without an answer.
    """

    department: str
    answers: Counter[str]
    unanswered: int


def hand_out(services: Services, order: Order, put: Callable[[bytes], None]) -> HandedOut:
    """Hand a department its worklist as a workbook.

    Args:
        put: takes the workbook, once every person in it has an entry in the ledger; when it
            raises, the items stay as they were.

    Returns:
        What it holds; `put` is not called when nothing waits.

    Raises:
        RequestError: when there is no case.
        AccessDenied: when policy does not let the actor see the matters; the refusal is recorded.
        LedgerError: when the disclosure could not be recorded; there is no workbook then.
    """
    if not order.case.strip():
        raise RequestError("请填写校核编号。 / Say for which review it is (case).")
    department, clock = order.actor.agency, services.clock
    keyring = Keyring.open(services.settings.keyring, services.settings.passphrase)
    desk = _Desk.of(services)
    worklist = Worklist(services.records)
    waiting = worklist.items(department)
    found = _conflicts(services.settings, keyring, {item.id: item.evidence for item in waiting})
    items = [item for item in waiting if item.id in found][: order.limit]
    matters = [desk.matter(item.id, found[item.id]) for item in items]
    shown = services.guard.reconcile(order.actor, order.case, matters)
    if not shown.allowed:
        raise AccessDenied(f"{shown.reason}; {shown.remedy}")
    if not items:
        return HandedOut(0, 0, 0, 0)
    sheets = desk.sheets(items, found, shown)
    book = io.BytesIO()
    cover, seal = desk.cover(department, clock), seal_of(keyring, department)
    write_workbook(book, cover, sheets, COLUMNS, seal)
    data = book.getvalue()
    put(data)
    _tell(services, EventTag.PARTNER_WORKLIST_EXPORTED, keyring, department, order.actor.id,
          items=len(items), persons=shown.persons, sha256=hashlib.sha256(data).hexdigest())  # fmt: skip
    worklist.exported([item.id for item in items], clock.now())
    return HandedOut(len(items), shown.persons, len(sheets), len(found) - len(items))


def take_back(
    services: Services,
    path: Path,
    by: str,
    department: str | None = None,
    limits: Limits = LIMITS,
) -> TakenBack:
    """Take a department's answers back, all of them or none.

    Args:
        by: account or name of the official who answers; the ledger keeps a pseudonym.
        department: whose workbook it must be; None for anybody's.

    Raises:
        DeliveryRefused: when the workbook was edited in the wrong places, or answers about
            records that have changed since it was handed out; its first findings and their count.
        NotFound: when it is another department's workbook.
        LedgerError: when the return could not be recorded; nothing is taken then.
    """
    keyring = Keyring.open(services.settings.keyring, services.settings.passphrase)
    returned = read_answers(path, keyring, limits)
    if department not in (None, returned.department):
        raise NotFound(
            "这份清单不是发给本部门的。 / This workbook was not handed out to your department."
        )
    given = Counter(answer.conclusion.value for answer in returned.answers)
    worklist = Worklist(services.records)
    known = worklist.named([answer.item for answer in returned.answers])
    asked = {
        name: item.evidence
        for name, item in known.items()
        if item.department == returned.department and item.state is not ItemState.RESOLVED
    }
    refuse_outdated(returned, asked, keyring)
    sealer = Sealer(keyring, "row")
    catalog = services.vocabulary.catalog
    answers = [
        _answer(one, returned.department, known.get(one.item), sealer, catalog)
        for one in returned.answers
    ]
    _tell(services, EventTag.PARTNER_WORKLIST_RETURNED, keyring, returned.department, by,
          answers=dict(given), sha256=hashlib.sha256(path.read_bytes()).hexdigest())  # fmt: skip
    name = Pseudonymiser(keyring, "actor").of(by).hex()
    taken = worklist.conclude(answers, name, services.clock.now())
    return TakenBack(returned.department, taken, returned.unanswered)


def _answer(
    one: GivenAnswer, department: str, item: Item | None, sealer: Sealer, catalog: Catalog
) -> Answer:
    remark = sealer.seal(one.remark.encode(), _place(one.item)) if one.remark else None
    owners = [catalog[name].owner for name in (item.datasets if item else ()) if name in catalog]
    others = [owner for owner in owners if owner != department]
    evidence = item.evidence if item else ""
    hand_to = others[0] if others else None
    return Answer(one.item, department, one.conclusion, evidence, remark, hand_to)


def _place(item: str) -> bytes:
    return f"worklist\0{item}".encode()


def _conflicts(
    settings: Settings, keyring: Keyring, evidence: Mapping[str, str]
) -> dict[str, Conflict]:
    """Return the standing conflicts behind items, of the evidence that the worklist knows.

    What was published since the worklist was last checked waits for its check: an answer counts
    for the evidence that was shown, and for no other.
    """
    names = ItemNames(keyring)
    con = lake.open_lake(settings)
    try:
        every = read_conflicts(con) if evidence and is_there(con) else ()
        named = ((names.of(conflict), conflict) for conflict in every)
        return {name: c for name, c in named if evidence.get(name) == c.fingerprint}
    finally:
        con.close()


def _tell(
    services: Services,
    tag: EventTag,
    keyring: Keyring,
    department: str,
    by: str,
    **details: object,
) -> None:
    name = Pseudonymiser(keyring, "actor").of(by).hex()
    whole = {"department": department, "by": name, **details}
    services.ledger.append([Entry.of(AuditEvent(tag, services.clock.now(), whole))])


@dataclass(frozen=True, slots=True)
class _Desk:
    """What turns conflicts into rows: the rules and the words."""

    rules: tuple[ConflictRule, ...]
    words: Vocabulary

    @classmethod
    def of(cls, services: Services) -> _Desk:
        words = services.vocabulary
        return cls(load_person_rules(words.catalog).conflicts, words)

    def rule(self, conflict: Conflict) -> ConflictRule:
        """Return the rule that found a conflict: of its kind, about its datasets."""
        datasets = {e.dataset for e in conflict.evidence}
        of_kind = [rule for rule in self.rules if rule.kind == conflict.kind]
        if not of_kind:
            raise RequestError(f"no rule finds {conflict.kind} any more: run `hub run` first")
        return next((r for r in of_kind if {p.dataset for p in r.has} == datasets), of_kind[0])

    def matter(self, name: str, conflict: Conflict) -> Matter:
        """Return what the guard is asked to show of a conflict."""
        evidence = tuple((e.dataset, e.record_key) for e in conflict.evidence)
        return Matter(name, conflict.subjects, evidence, frozenset(self.rule(conflict).shows))

    def cover(self, department: str, clock: Clock) -> list[tuple[str, str]]:
        """Return the lines of the first sheet; the second of them is read again."""
        return [
            ("部门间数据校核 joint review", self.words.agency(department)),
            (DEPARTMENT, department),
            ("日期 date", clock.now().date().isoformat()),
            (
                "填写 how to answer",
                "只填“结论”和“说明”两栏；结论从列表中选择；均正确时须写明理由。",
            ),
            ("", "Fill in the two answer columns only; choose the conclusion from the list."),
            ("更正 corrections", "本方有误的，更正后随下一批报送，系统自动核销。"),
            ("", "What is ours to mend goes with the next delivery; the hub then closes the item."),
            (
                "保密 confidential",
                "含个人信息，限校核使用，用后删除。 / Personal data, for this review only.",
            ),
        ]

    def sheets(
        self, items: Iterable[Item], found: Mapping[str, Conflict], shown: Reconciled
    ) -> list[Sheet]:
        """Return one sheet per kind and own dataset, in order of their titles."""
        grouped: dict[tuple[str, str], list[tuple[tuple[str, ...], str]]] = {}
        titles: dict[tuple[str, str], str] = {}
        for item in items:
            rule, records = self.rule(found[item.id]), shown.records[item.id]
            own = _own(rule, records)
            key = (item.kind, own.dataset if own is not None else "")
            title = rule.title if own is None else f"{rule.title}-{self._title(own.dataset)}"
            titles[key] = title.translate(_TITLE_UNFIT)[:31]
            others = [record for record in records if record is not own]
            row = self._row(item, rule, own, others)
            grouped.setdefault(key, []).append((row, item.evidence))
        return [
            Sheet(titles[key], self._headings(key[1]), *zip(*rows, strict=True))
            for key, rows in sorted(grouped.items(), key=lambda pair: titles[pair[0]])
        ]

    def _title(self, dataset: str) -> str:
        return self.words.dataset_title(dataset)

    def _columns(self, dataset: str) -> tuple[str, ...]:
        held = self.words.dataset(dataset)
        return tuple(c.name for c in held.columns) if held is not None else ()

    def _headings(self, dataset: str) -> tuple[str, ...]:
        own = (f"{self.words.column_title(dataset, c)} {c}" for c in self._columns(dataset))
        return tuple(map(plain, (*_HEADINGS, *own, *_TAIL)))

    def _row(
        self,
        item: Item,
        rule: ConflictRule,
        own: ShownRecord | None,
        others: Sequence[ShownRecord],
    ) -> tuple[str, ...]:
        where, values = "", []
        if own is not None:
            where = f"{self._title(own.dataset)}，{own.since}，{own.batch}"
            values = [own.values.get(column) for column in self._columns(own.dataset)]
        first = item.first_seen_at.date().isoformat()
        theirs = " ｜ ".join(self._in_words(record, rule) for record in others)
        cells = (item.id, rule.says, first, where, *values, theirs or _HIDDEN, self._said(item))
        return tuple(map(plain, (*cells, rule.remedy)))

    def _in_words(self, record: ShownRecord, rule: ConflictRule) -> str:
        """Return the other side's record in words: whose, when, and what it says of the matter."""
        held = self.words.dataset(record.dataset)
        owner = self.words.agency(held.owner) if held is not None else ""
        told = []
        for column, value in record.values.items():
            if (record.dataset, column) in rule.shows and value is not None:
                label = self.words.labels(record.dataset, column).get(str(value))
                title = self.words.column_title(record.dataset, column)
                told.append(f"{title}：{value}{f'（{label}）' if label else ''}")
        about = "；".join(told) or _HIDDEN
        return f"{owner} {self._title(record.dataset)}，{record.since}：{about}"

    def _said(self, item: Item) -> str:
        """Return what the department concluded that handed the item over, if one did.

        Its remark stays sealed: free text may hold anything, and no policy has weighed it.
        """
        if item.handed_from is None or item.conclusion is None:
            return ""
        title = _TITLES.get(item.conclusion, item.conclusion.value)
        ask = f"（{_ASK}）" if item.remark else ""
        return f"{self.words.agency(item.handed_from)}：{title}{ask}"


_ASK = "另有说明，可向其索取 / it has made a remark, which can be asked for"
_HIDDEN = "按规定不显示 / not shown by policy"


def _own(rule: ConflictRule, records: Sequence[ShownRecord]) -> ShownRecord | None:
    """Return the department's record that is asked about; rules name it last, pairs first."""
    own = [record for record in records if record.own]
    if not own:
        return None
    return own[0] if rule.between_two else own[-1]
