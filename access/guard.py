"""The policy enforcement point: the only road from stored rows to a person outside.

Every road takes the same steps: decide, read the least, apply the decision, record, release. What
was prepared is released only with the ledger's receipt; if the ledger cannot record, the caller
gets its error and nothing else. Refusals are recorded as well.

Where only the own area is open, a person who is not there and a person who lives elsewhere get
the same answer, with one entry each.

Source: XACML 3.0 (PEP, obligations); 个人信息保护法 45, 51, 55-56.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from access import counting, disclosure, rendering
from access.answers import (
    Answer,
    LookupQuery,
    Receipt,
    SampleQuery,
    SearchQuery,
    StatsAnswer,
    StatsQuery,
    SubjectView,
    Use,
)
from access.counting import Counted, Question
from access.decision import Decider, Plan
from access.disclosure import Context
from access.finding import Finder
from access.model import Action, Actor, Request
from access.ports import GuardKeys, LedgerLog, SnapshotReader, Snapshots
from access.privacy import Noise
from access.recording import Prepared, Recorder
from access.uses import is_due, use_of
from hub.catalog import Catalog
from hub.clock import Clock
from hub.errors import NotFound, RequestError, SourceError
from hub.ledger.log import LoggedEntry
from hub.ledger.writer import Entry

LIST_CAP = 20
READ_CAP = 200
_SESSIONS = 10_000
_LONGEST_CASE = 64
_OWN = "own.data"


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request on its way: the plan, what its entries share, and the case of the question."""

    actor: Actor
    plan: Plan
    context: Context
    time: datetime

    @property
    def today(self) -> date:
        return self.time.date()


class Guard:
    """Answers actors' questions about persons, under one policy and catalogue.

    Thread safe. Blocking parts of a request take about a third of a millisecond; the wait for the
    ledger is what the `_async` variants await.

    Args:
        identify: makes the id of a request that comes without one.
        noise: what counts with noise need; without it they are refused.
    """

    def __init__(
        self,
        decider: Decider,
        catalog: Catalog,
        snapshots: Snapshots,
        ledger: LedgerLog,
        keys: GuardKeys,
        clock: Clock,
        *,
        identify: Callable[[], str] = lambda: secrets.token_hex(8),
        noise: Noise | None = None,
    ) -> None:
        self._decider = decider
        self._catalog = catalog
        self._snapshots = snapshots
        self._ledger = ledger
        self._keys = keys
        self._clock = clock
        self._identify = identify
        self._noise = noise
        self._finder = Finder(keys, clock)
        self._recorder = Recorder(ledger)
        self._sessions: dict[tuple[str, str], Receipt] = {}

    @property
    def decider(self) -> Decider:
        """What decides; doors show purposes and explanations from it."""
        return self._decider

    def binding(self, id_number: str) -> bytes:
        """Return what binds a citizen's account to their identity number, without the number.

        Raises:
            RequestError: when it is not a valid number.
        """
        return self._finder.binding(id_number)

    # One person

    def lookup(self, actor: Actor, query: LookupQuery) -> Answer:
        """Return what the actor may see of one person, once the use is recorded.

        Raises:
            RequestError: when the value or case is not well formed; nothing is recorded.
            LedgerError: when the use could not be recorded; nothing is released.
            SourceError, KeyMissing: when the document cannot be read.
        """
        return self._recorder.release(self.prepare_lookup(actor, query))

    async def lookup_async(self, actor: Actor, query: LookupQuery) -> Answer:
        """Do as `lookup`, awaiting the ledger."""
        return await self._recorder.release_async(self.prepare_lookup(actor, query))

    def prepare_lookup(self, actor: Actor, query: LookupQuery) -> Prepared[Answer]:
        """Decide and read for a lookup; the answer is in what is returned, still locked."""
        find = self._finder.of(actor, query)
        request = Request(actor, Action.LOOKUP, query.datasets, query.purpose, query.case)
        asked = self._ask(request, query.request_id)
        if not asked.plan.decision.allowed:
            return self._refused(asked)
        snapshot = self._snapshots.current()
        asked = _reading(asked, snapshot)
        key = find(snapshot)
        document = self._finder.open(snapshot, key) if key is not None else None
        if key is None or document is None:
            return self._nobody(asked, None)
        if not rendering.may_see(document, asked.plan, actor.area):
            return self._nobody(asked, key)
        return self._found(asked, [(key, document)], more=False)

    # A short list of persons

    def search(self, actor: Actor, query: SearchQuery) -> Answer:
        """Return a short list of persons, masked as lists are, once the uses are recorded.

        Raises:
            RequestError, LedgerError, SourceError, KeyMissing: as `lookup`.
        """
        return self._recorder.release(self.prepare_search(actor, query))

    async def search_async(self, actor: Actor, query: SearchQuery) -> Answer:
        """Do as `search`, awaiting the ledger."""
        return await self._recorder.release_async(self.prepare_search(actor, query))

    def prepare_search(self, actor: Actor, query: SearchQuery) -> Prepared[Answer]:
        """Decide and read for a search; persons outside the area leave no trace in the answer."""
        token = self._finder.token(query)
        request = Request(actor, Action.SEARCH, query.datasets, query.purpose, query.case)
        asked = self._ask(request, query.request_id)
        if not asked.plan.decision.allowed:
            return self._refused(asked)
        snapshot = self._snapshots.current()
        asked = _reading(asked, snapshot)
        cap = _cap(asked.plan)
        found: list[tuple[bytes, Any]] = []
        for key in snapshot.find(query.by, token, READ_CAP):
            document = self._finder.open(snapshot, key)
            if document is not None and rendering.may_see(document, asked.plan, actor.area):
                found.append((key, document))
            if len(found) > cap:
                break
        if not found:
            return self._nobody(asked, None)
        return self._found(asked, found[:cap], more=len(found) > cap)

    # A drawn sample

    def sample(self, actor: Actor, query: SampleQuery) -> Answer:
        """Return what the actor may see of every person drawn, once each use is recorded.

        All or none: subjects come in the order of the question.

        Raises:
            RequestError: when more are drawn than the policy lets be shown at once; nothing is
                recorded.
            SourceError: when a person drawn is not in the snapshot in service.
            LedgerError, KeyMissing: as `lookup`.
        """
        return self._recorder.release(self.prepare_sample(actor, query))

    def prepare_sample(self, actor: Actor, query: SampleQuery) -> Prepared[Answer]:
        """Decide and read for a drawn sample; the answer is still locked."""
        request = Request(actor, Action.SAMPLE, (query.dataset,), query.purpose, query.case)
        asked = self._ask(request, query.request_id)
        if not asked.plan.decision.allowed:
            return self._refused(asked)
        if not query.subjects:
            raise RequestError("nobody was drawn: the dataset holds no record in service")
        most = _list_cap(asked.plan)
        if most is None or len(query.subjects) > most:
            raise RequestError(f"a sample has at most {most or 0:,} persons by the policy")
        snapshot = self._snapshots.current()
        asked = _reading(asked, snapshot)
        found: list[tuple[bytes, Any]] = []
        for key in query.subjects:
            document = self._finder.open(snapshot, key)
            if document is None or not rendering.may_see(document, asked.plan, actor.area):
                raise SourceError("the sample does not fit the snapshot in service: draw again")
            found.append((key, document))
        return self._found(asked, found, more=False)

    # Counts

    def statistics(self, actor: Actor, query: StatsQuery) -> StatsAnswer:
        """Return counts with small cells suppressed, once the use is recorded.

        Raises:
            RequestError: when a dimension is unknown or not for counting; nothing is recorded.
            LedgerError, SourceError: as `lookup`.
        """
        return self._recorder.release(self.prepare_statistics(actor, query))

    async def statistics_async(self, actor: Actor, query: StatsQuery) -> StatsAnswer:
        """Do as `statistics`, counting in a worker thread and awaiting the ledger."""
        prepared = await asyncio.to_thread(self.prepare_statistics, actor, query)
        return await self._recorder.release_async(prepared)

    def prepare_statistics(self, actor: Actor, query: StatsQuery) -> Prepared[StatsAnswer]:
        """Decide and count; a refusal counts nothing."""
        request = Request(actor, Action.AGGREGATE, (query.dataset,), query.purpose)
        asked = self._ask(request, query.request_id)
        decision = asked.plan.decision
        if not decision.allowed:
            return self._table(asked, query, Counted(refusal=decision.reason))
        purpose = self._decider.policy.purposes[decision.purpose]
        dataset = self._catalog[query.dataset]
        question = Question(actor, query, dataset, decision, purpose, asked.time)
        snapshot = self._snapshots.current()
        counted = counting.answer(question, snapshot, self._noise)
        return self._table(_reading(asked, snapshot), query, counted)

    # The citizen's own

    def own_records(self, actor: Actor, session: str, request_id: str = "") -> Answer:
        """Return everything held about the citizen, in clear, recorded once a session.

        Raises:
            LedgerError: when the opening could not be recorded; nothing is released.
            SourceError, KeyMissing: when the document cannot be read.
        """
        known, prepared = self._prepare_own(actor, session, request_id)
        if known is not None:
            return prepared.complete(known)
        return self._remember(actor, session, self._recorder.release(prepared))

    async def own_records_async(self, actor: Actor, session: str, request_id: str = "") -> Answer:
        """Do as `own_records`, awaiting the ledger."""
        known, prepared = self._prepare_own(actor, session, request_id)
        if known is not None:
            return prepared.complete(known)
        return self._remember(actor, session, await self._recorder.release_async(prepared))

    def own_uses(self, actor: Actor, limit: int = 100) -> tuple[Use, ...]:
        """Return who used the citizen's data, newest first.

        Uses whose showing is lawfully delayed are left out without a gap or a count.
        """
        label = self._own_label(actor)
        if label is None:
            return ()
        uses: list[Use] = []
        for logged in self._entries(label):
            if is_due(logged, self._decider.policy.purposes, self._clock.now()):
                uses.append(use_of(logged, self._decider.policy, self._catalog))
            if len(uses) == limit:
                break
        return tuple(uses)

    def own_proof(self, actor: Actor, index: int) -> dict[str, Any]:
        """Return the proof of one use of the citizen's data, to be checked offline.

        Raises:
            NotFound: when there is no such entry, it is not about the citizen, or not yet due.
        """
        label = self._own_label(actor)
        logged = self._ledger.entry(index) if label is not None and index >= 0 else None
        purposes, now = self._decider.policy.purposes, self._clock.now()
        if logged is None or logged.label != label or not is_due(logged, purposes, now):
            raise NotFound(f"the ledger has no entry {index}")
        return self._ledger.proof_bundle(index)

    # Steps

    def _ask(self, request: Request, request_id: str) -> _Asked:
        if request.case is not None and len(request.case) > _LONGEST_CASE:
            raise RequestError(f"a case reference has at most {_LONGEST_CASE} characters")
        plan = self._decider.plan(request)
        time = self._clock.now()
        context = Context(
            actor=request.actor,
            actor_name=self._keys.actor.of(request.actor.id).hex(),
            decision=plan.decision,
            case_name=self._keys.case.of(request.case.strip()).hex() if request.case else None,
            request_id=request_id or self._identify(),
            snapshot="",
            time=time,
        )
        return _Asked(request.actor, plan, context, time)

    def _entry(self, asked: _Asked, released: bool, **parts: Any) -> Entry:
        action = asked.plan.decision.action
        tag = disclosure.disclosed(action) if released else disclosure.refused(action)
        return disclosure.entry(asked.context, self._decider.policy.purposes, tag, **parts)

    def _refused(self, asked: _Asked) -> Prepared[Answer]:
        decision = asked.plan.decision
        known = [name for name in decision.datasets if name in self._catalog]
        entry = self._entry(asked, False, datasets=known, outcome="refused")
        complete = _answer(asked, decision.reason, decision.remedy, allowed=False)
        return Prepared((entry,), complete)

    def _nobody(self, asked: _Asked, key: bytes | None) -> Prepared[Answer]:
        """Nobody to show. With an area to keep to, not there and not yours are one answer."""
        decision = asked.plan.decision
        label = None if key is None else self._keys.label.of(key)
        if decision.row_filter is None:
            entry = self._entry(asked, False, label=label, reason="没有查到此人 / nobody was found")
            return Prepared(
                (entry,), _answer(asked, "没有查到此人 / nobody is held under this value", "")
            )
        entry = self._entry(
            asked,
            False,
            label=label,
            outcome="refused",
            reason="不在该岗位的辖区 / not in the actor's area",
        )
        reason = (
            f"您的辖区（{'、'.join(decision.row_filter)}）内没有此人；其他辖区有无，不予告知"
            " / nobody under this value lives in the area of your post; whether somebody does "
            "elsewhere is not told"
        )
        remedy = "请转此人居住地的岗位办理 / turn to the post of the area the person lives in"
        return Prepared((entry,), _answer(asked, reason, remedy, allowed=False))

    def _found(
        self, asked: _Asked, found: list[tuple[bytes, Any]], *, more: bool
    ) -> Prepared[Answer]:
        decision = asked.plan.decision
        listed = decision.action is Action.SEARCH
        entries: list[Entry] = []
        subjects: list[SubjectView] = []
        for key, document in found:
            shown = rendering.render(document, asked.plan, asked.actor.area, asked.today)
            label = self._keys.label.of(key)
            entries.append(
                self._entry(asked, True, label=label, datasets=shown.datasets, fields=shown.fields)
            )
            handle = self._finder.handle(asked.actor, key, asked.time) if listed else ""
            subjects.append(SubjectView(handle, shown.golden, shown.records, shown.withheld))
        complete = _answer(asked, decision.reason, "", subjects=tuple(subjects), more=more)
        return Prepared(tuple(entries), complete)

    def _table(self, asked: _Asked, query: StatsQuery, counted: Counted) -> Prepared[StatsAnswer]:
        decision = asked.plan.decision
        allowed = not counted.refusal
        entry = self._entry(
            asked,
            allowed,
            datasets=(query.dataset,) if query.dataset in self._catalog else (),
            outcome="allowed" if allowed else "refused",
            reason=counted.refusal,
            more={"by": list(query.by), **counted.told()} if allowed else None,
        )

        def complete(receipt: Receipt) -> StatsAnswer:
            return StatsAnswer(
                allowed=allowed,
                reason=counted.refusal or decision.reason,
                remedy=counted.remedy or decision.remedy,
                decision=decision,
                columns=(*query.by, "count"),
                rows=counted.table.rows,
                threshold=counted.threshold,
                suppressed=counted.table.suppressed,
                rounded_to=counted.rounded_to,
                noise=counted.noise,
                receipt=receipt,
                request_id=asked.context.request_id,
                time=asked.time,
                policy_version=decision.policy_version,
                snapshot_version=asked.context.snapshot,
            )

        return Prepared((entry,), complete)

    def _prepare_own(
        self, actor: Actor, session: str, request_id: str
    ) -> tuple[Receipt | None, Prepared[Answer]]:
        asked = self._ask(Request(actor, Action.OWN, None, _OWN), request_id)
        if not asked.plan.decision.allowed:
            return None, self._refused(asked)
        snapshot = self._snapshots.current()
        asked = _reading(asked, snapshot)
        key = snapshot.identity(actor.binding) if actor.binding is not None else None
        document = self._finder.open(snapshot, key) if key is not None else None
        if key is None or document is None:
            return self._sessions.get((actor.id, session)), self._nobody(asked, None)
        return self._sessions.get((actor.id, session)), self._found(
            asked, [(key, document)], more=False
        )

    def _remember(self, actor: Actor, session: str, answer: Answer) -> Answer:
        if answer.allowed and answer.subjects:
            if len(self._sessions) >= _SESSIONS:
                self._sessions.clear()
            self._sessions[actor.id, session] = answer.receipt
        return answer

    def _own_label(self, actor: Actor) -> bytes | None:
        decision = self._decider.decide(Request(actor, Action.OWN, None, _OWN))
        if not decision.allowed or actor.binding is None:
            return None
        key = self._snapshots.current().identity(actor.binding)
        return None if key is None else self._keys.label.of(key)

    def _entries(self, label: bytes) -> Iterator[LoggedEntry]:
        before: int | None = None
        while page := self._ledger.entries_of(label, before=before, limit=200):
            yield from page
            before = page[-1].index


def _answer(
    asked: _Asked,
    reason: str,
    remedy: str,
    *,
    allowed: bool = True,
    subjects: tuple[SubjectView, ...] = (),
    more: bool = False,
) -> Callable[[Receipt], Answer]:
    """Return what makes the answer of a receipt."""

    def complete(receipt: Receipt) -> Answer:
        return Answer(
            allowed=allowed,
            reason=reason,
            remedy=remedy,
            decision=asked.plan.decision,
            subjects=subjects,
            more=more,
            receipt=receipt,
            request_id=asked.context.request_id,
            time=asked.time,
            policy_version=asked.plan.decision.policy_version,
            snapshot_version=asked.context.snapshot,
        )

    return complete


def _reading(asked: _Asked, snapshot: SnapshotReader) -> _Asked:
    c = asked.context
    context = Context(
        c.actor, c.actor_name, c.decision, c.case_name, c.request_id, snapshot.version, c.time
    )
    return _Asked(asked.actor, asked.plan, context, asked.time)


def _cap(plan: Plan) -> int:
    return min(_list_cap(plan) or LIST_CAP, LIST_CAP)


def _list_cap(plan: Plan) -> int | None:
    for obligation in plan.decision.obligations:
        name, _, number = obligation.partition("=")
        if name == "list_cap":
            return int(number)
    return None
