"""The worklist handed to a department as a workbook, and its answers taken back.

Handing out is a disclosure: what leaves is decided by policy and recorded in the ledger, one entry
per person, before the file exists. A file that is not whole never has its name.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from access.decision import Decider
from access.files import POLICY_FOLDER
from access.guard import Guard
from access.model import Actor
from access.policy import load_policy
from access.ports import GuardKeys
from access.roads.reconciliation import Matter, Reconciled, ShownRecord
from api.vocabulary import Vocabulary
from assets.integrated.rules import ConflictRule, load_person_rules
from assets.reconciliation.answers import GivenAnswer, read_answers, refuse_outdated
from assets.reconciliation.sheets import ANSWERS, ITEM, Checks, Sheet, plain
from assets.reconciliation.workbook import write_workbook
from contracts.codes import load_code_sets
from contracts.loader import load_catalog
from contracts.model import Contract
from contracts.versions.in_force import load_in_force
from hub.catalog import Catalog, Classification
from hub.clock import Clock
from hub.config import Settings
from hub.errors import AccessDenied, RequestError
from hub.events import AuditEvent, EventTag
from hub.keyring import Keyring
from hub.ledger.log import Ledger
from hub.ledger.writer import Entry
from hub.sealing import Pseudonymiser, Sealer
from hub.store import lake
from hub.store.conflicts import Conflict, ItemNames, is_there, read_conflicts
from hub.store.records import Records
from hub.store.snapshots import SnapshotStore
from hub.store.usage import Usage
from hub.store.worklist import Answer, Item, ItemState, Worklist

_STEWARD = "department_steward"
_HEADINGS = (ITEM, "不一致 what disagrees", "首次发现 first seen", "本方记录 our record")
_TAIL = ("对方 the other side", "对方答复 their answer", "处理 what to do")
_TITLES = {conclusion: text for text, conclusion in ANSWERS.items()}
_TITLE_UNFIT = str.maketrans(dict.fromkeys("[]:*?/\\'", "_"))


@dataclass(frozen=True, slots=True)
class Order:
    """Who wants which worklist where.

    Args:
        by: the official it is handed to; the ledger knows only a pseudonym.
        limit: at most so many items, the oldest first.
    """

    department: str
    by: str
    case: str
    out: Path
    limit: int


@dataclass(frozen=True, slots=True)
class HandedOut:
    """What a workbook holds; `left` items wait for the next one."""

    items: int
    persons: int
    sheets: int
    left: int


def hand_out(settings: Settings, clock: Clock, ledger: Ledger, order: Order) -> HandedOut:
    """Write a department's worklist as a workbook of mode 0600.

    Returns:
        What it holds; no file is written when nothing waits.

    Raises:
        RequestError: when the file exists already, or by or case is empty.
        AccessDenied: when policy does not let the department see its matters.
        LedgerError: when the disclosure could not be recorded; there is no file then.
    """
    if not order.by.strip() or not order.case.strip():
        raise RequestError("say who it is handed to (--by) and for which case (--case)")
    if order.out.exists() or not order.out.parent.is_dir():
        raise RequestError("--out names a file that exists, or a folder that does not")
    keyring = Keyring.open(settings.keyring, settings.passphrase)
    with Records.open(settings) as records:
        desk = _Desk.of(settings, records)
        worklist = Worklist(records)
        waiting = worklist.items(order.department)
        found = _conflicts(settings, keyring, {item.id: item.evidence for item in waiting})
        items = [item for item in waiting if item.id in found][: order.limit]
        if not items:
            return HandedOut(0, 0, 0, 0)
        matters = [desk.matter(item.id, found[item.id]) for item in items]
        guard = Guard(
            desk.decider,
            desk.decider.catalog,
            SnapshotStore(settings),
            ledger,
            GuardKeys.of(keyring),
            clock,
            Usage(settings.usage),
        )
        shown = guard.reconcile(_actor(order), order.case, matters)
        if not shown.allowed:
            raise AccessDenied(f"{shown.reason}; {shown.remedy}")
        sheets = desk.sheets(items, found, shown)
        digest = _write(order, desk.cover(order, clock), sheets, Checks(keyring, order.department))
        _tell(ledger, clock, EventTag.PARTNER_WORKLIST_EXPORTED, keyring, order.department, order.by,
              items=len(items), persons=shown.persons, sha256=digest)  # fmt: skip
        worklist.exported([item.id for item in items], clock.now())
    return HandedOut(len(items), shown.persons, len(sheets), len(found) - len(items))


def take_back(
    settings: Settings, clock: Clock, ledger: Ledger, path: Path, by: str
) -> tuple[str, Counter[str], int]:
    """Take a department's answers back, all of them or none.

    Returns:
        The department, how many answers of each conclusion were taken ("gone": about items that
        are resolved or with another department by now), and rows without an answer.

    Raises:
        RequestError: when the workbook was edited in the wrong places, or answers about records
            that have changed since it was handed out; every finding at once.
        LedgerError: when the return could not be recorded; nothing is taken then.
    """
    if not by.strip():
        raise RequestError("say who answers (--by)")
    keyring = Keyring.open(settings.keyring, settings.passphrase)
    returned = read_answers(path, keyring)
    given = Counter(answer.conclusion.value for answer in returned.answers)
    with Records.open(settings) as records:
        worklist = Worklist(records)
        known = worklist.named([answer.item for answer in returned.answers])
        asked = {
            name: item.evidence
            for name, item in known.items()
            if item.department == returned.department and item.state is not ItemState.RESOLVED
        }
        refuse_outdated(returned, asked, keyring)
        catalog = load_catalog(_contracts(settings, records))
        sealer = Sealer(keyring, "row")
        answers = [
            _answer(one, returned.department, known.get(one.item), sealer, catalog)
            for one in returned.answers
        ]
        _tell(ledger, clock, EventTag.PARTNER_WORKLIST_RETURNED, keyring, returned.department, by,
              answers=dict(given), sha256=hashlib.sha256(path.read_bytes()).hexdigest())  # fmt: skip
        name = Pseudonymiser(keyring, "actor").of(by).hex()
        taken = worklist.conclude(answers, name, clock.now())
    return returned.department, taken, returned.unanswered


def _answer(
    one: GivenAnswer, department: str, item: Item | None, sealer: Sealer, catalog: Catalog
) -> Answer:
    remark = sealer.seal(one.remark.encode(), _place(one.item)) if one.remark else None
    owners = [catalog[name].owner for name in (item.datasets if item else ()) if name in catalog]
    others = [owner for owner in owners if owner != department]
    evidence = item.evidence if item else ""
    hand_to = others[0] if others else None
    return Answer(one.item, department, one.conclusion, evidence, remark, hand_to)


def _contracts(settings: Settings, records: Records) -> tuple[Contract, ...]:
    code_sets = load_code_sets(settings.contract_folders)
    return load_in_force(settings, records, code_sets).contracts


def _place(item: str) -> bytes:
    return f"worklist\0{item}".encode()


def _actor(order: Order) -> Actor:
    return Actor(
        id=order.by,
        name=order.by,
        agency=order.department,
        post="数据专员",
        roles=(_STEWARD,),
        clearance=Classification.L4,
    )


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
    ledger: Ledger,
    clock: Clock,
    tag: EventTag,
    keyring: Keyring,
    department: str,
    by: str,
    **details: object,
) -> None:
    name = Pseudonymiser(keyring, "actor").of(by).hex()
    whole = {"department": department, "by": name, **details}
    ledger.append([Entry.of(AuditEvent(tag, clock.now(), whole))])


def _write(
    order: Order, cover: Sequence[tuple[str, str]], sheets: Sequence[Sheet], checks: Checks
) -> str:
    """Write the workbook whole or not at all and return its SHA-256."""
    draft = order.out.with_name(f".{order.out.name}.{secrets.token_hex(4)}.part")
    try:
        handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w+b") as file:
            write_workbook(file, cover, sheets, checks)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.link(draft, order.out)  # fails where somebody was faster
    except OSError as exc:
        raise RequestError("--out cannot be written: name a new file in a folder of yours") from exc
    finally:
        draft.unlink(missing_ok=True)
    return digest


@dataclass(frozen=True, slots=True)
class _Desk:
    """What turns conflicts into rows: the rules, the policy, the words."""

    decider: Decider
    rules: tuple[ConflictRule, ...]
    words: Vocabulary

    @classmethod
    def of(cls, settings: Settings, records: Records) -> _Desk:
        code_sets = load_code_sets(settings.contract_folders)
        catalog = load_catalog(load_in_force(settings, records, code_sets).contracts)
        policy = load_policy(catalog, settings.policy_folder or POLICY_FOLDER)
        words = Vocabulary(catalog, code_sets, policy.purposes, policy.roles)
        rules = load_person_rules(catalog).conflicts
        return cls(Decider(policy, catalog), rules, words)

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

    def cover(self, order: Order, clock: Clock) -> list[tuple[str, str]]:
        """Return the lines of the first sheet; the second of them is read again."""
        return [
            ("部门间数据校核 joint review", self.words.agency(order.department)),
            ("部门 department", order.department),
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
