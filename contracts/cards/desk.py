"""Where cards meet the records and the ledger: derive, tell, act, decide at the gate.

Everything that says something new first writes it down in the records, in one transaction, and
then tells the ledger (`hub.store.cards.tell`); whoever is killed in between is made up for by the
next one who does either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from contracts.cards.deriving import (
    Card,
    Norms,
    Step,
    StepKind,
    cards,
    side_of,
)
from contracts.cards.gate import Gate, gate, released
from contracts.cards.life import not_entitled, refusal
from contracts.cards.promises import Promise
from contracts.cards.rules import CardRules, load_card_rules
from contracts.model import Contract
from hub.calendar import WorkCalendar, day_of, load_calendar
from hub.clock import Clock
from hub.config import Settings
from hub.errors import NotFound
from hub.events import AuditEvent, EventTag
from hub.plain import require_plain
from hub.store.attempts import Attempt
from hub.store.cards import (
    Act,
    ActKind,
    NewStep,
    add_act,
    add_steps,
    facts,
    known_steps,
    tell,
    watch,
)
from hub.store.outbox import Log
from hub.store.records import Records

_TAGS: Mapping[StepKind, EventTag] = {
    StepKind.ISSUED: EventTag.QUALITY_CARD_ISSUED,
    StepKind.ESCALATED: EventTag.QUALITY_CARD_ESCALATED,
    StepKind.ACKNOWLEDGED: EventTag.QUALITY_CARD_ACKNOWLEDGED,
    StepKind.APPEALED: EventTag.QUALITY_CARD_APPEALED,
    StepKind.APPEAL_DECIDED: EventTag.QUALITY_CARD_APPEAL_DECIDED,
    StepKind.WAIVER_REQUESTED: EventTag.QUALITY_CARD_WAIVER_REQUESTED,
    StepKind.WAIVER_DECIDED: EventTag.QUALITY_CARD_WAIVER_DECIDED,
    StepKind.WAIVER_EXPIRED: EventTag.QUALITY_CARD_WAIVER_EXPIRED,
    StepKind.REMEDIED: EventTag.QUALITY_CARD_REMEDIED,
    StepKind.CLOSED: EventTag.QUALITY_CARD_CLOSED,
}


@dataclass(frozen=True, slots=True)
class Refused:
    """An act that is not possible, and why.

    Args:
        denied: whether whoever acts may not do such a thing, wherever the card stands.
    """

    reason: str
    denied: bool = False


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an evaluation found: the cards, and how many steps the ledger was told."""

    cards: tuple[Card, ...]
    told: int


@dataclass(frozen=True, slots=True)
class CardDesk:
    """The cards of one installation."""

    records: Records
    norms: Norms

    @classmethod
    def of(cls, records: Records, contracts: Iterable[Contract], settings: Settings) -> CardDesk:
        """Return the desk of a hub, under its own thresholds and calendar.

        Raises:
            ConfigError: when HOME/cards.toml or HOME/calendar.csv does not fit.
        """
        rules, calendar = load_card_rules(settings.card_rules), load_calendar(settings.calendar)
        return cls(records, norms_of(contracts, calendar, rules))

    def cards(self, now: datetime) -> tuple[Card, ...]:
        """Return every card issued by an instant, in the order of issue."""
        with self.records.reading() as session:
            return cards(facts(session), self.norms, now)

    def evaluate(self, log: Log, clock: Clock) -> Evaluation:
        """Derive the cards and tell the ledger what it was not told; cheap when nothing changed.

        Raises:
            LedgerError: when the ledger cannot record; the next evaluation makes up for it.
        """
        with self.records.reading() as session:
            now = clock.now()
            recorded, known = facts(session), known_steps(session)
            found = cards(recorded, self.norms, now)
        is_new = set(self.norms.promises) - set(recorded.since) or _untold(found, known, now)
        if is_new:
            found = self._write_down(log, clock)
        return Evaluation(found, tell(self.records, log))

    def _write_down(self, log: Log, clock: Clock) -> tuple[Card, ...]:
        size = log.size
        with self.records.writing() as session:
            now = clock.now()
            watch(session, sorted(self.norms.promises), day_of(now))
            session.flush()
            found = cards(facts(session), self.norms, now)
            add_steps(session, _untold(found, known_steps(session), now), size)
        return found

    def act(self, log: Log, clock: Clock, act: Act) -> Card | Refused:
        """Record what somebody does about a card, if it is possible, and tell the ledger.

        Args:
            act: its time is set by the clock, under the records' write lock.

        Raises:
            NotFound: when there is no such card.
            RequestError: when `by` is no account or the reason could hold a person's number.
            LedgerError: when the ledger cannot record; the act stands and is told later.
        """
        require_plain(act.by, act.reason)
        size = log.size
        with self.records.writing() as session:
            now = clock.now()
            recorded = facts(session)
            act = replace(act, at=now)
            card = find(cards(recorded, self.norms, now), act.card)
            rules, own = self.norms.rules, side_of(card.cause, self.norms)
            if reason := not_entitled(act, rules, own):
                return Refused(reason, denied=True)
            if reason := refusal(card.standing, act, rules, own):
                return Refused(reason)
            act = replace(act, id=add_act(session, act))
            after = replace(recorded, acts=(*recorded.acts, act))
            card = find(cards(after, self.norms, now), act.card)
            add_steps(session, _untold((card,), known_steps(session), now, whole=False), size)
        tell(self.records, log)
        return card

    def open_to(self, card: Card, by: str, now: datetime) -> tuple[ActKind, ...]:
        """Return what an account could do about a card now, were it to give a reason."""
        rules, own = self.norms.rules, side_of(card.cause, self.norms)
        tried = (
            Act(card.id, kind, by, "", now, until=day_of(now), granted=False) for kind in ActKind
        )
        return tuple(
            act.kind
            for act in tried
            if refusal(card.standing, act, rules, own) is None
            and not_entitled(act, rules, own) is None
        )

    def gate(self, attempt: Attempt, now: datetime) -> Gate:
        """Decide whether a batch that was just judged may be published; see `contracts.cards.gate`."""
        with self.records.reading() as session:
            return gate(facts(session), self.norms, attempt, now)

    def released(self, now: datetime) -> frozenset[tuple[str, int]]:
        """Return the attempts (batch, number) that a waiver or a granted appeal lets through."""
        with self.records.reading() as session:
            return released(facts(session), self.norms, now)


def norms_of(
    contracts: Iterable[Contract], calendar: WorkCalendar, rules: CardRules | None = None
) -> Norms:
    """Return what facts are held against; the package's thresholds unless others are given."""
    promises = {contract.name: Promise.of(contract) for contract in contracts}
    return Norms(promises, rules or load_card_rules(), calendar)


def find(found: Iterable[Card], card_id: str) -> Card:
    """Return the card of an id.

    Raises:
        NotFound: when there is none.
    """
    for card in found:
        if card.id == card_id:
            return card
    raise NotFound(
        "没有这张牌；用 `hub cards list` 查看。 / No such card: `hub cards list` lists them."
    )


def _untold(
    found: Sequence[Card],
    known: Mapping[str, frozenset[str]],
    now: datetime,
    *,
    whole: bool = True,
) -> list[NewStep]:
    """Return the steps that are not written down yet, oldest first.

    Args:
        whole: `found` are all cards: one that was issued and is not among them no longer follows
            from the facts, since a contract, threshold or working day was changed.
    """
    steps = [
        (step.at, NewStep(card.id, step.key, _event(card, step)))
        for card in found
        for step in card.steps
        if step.key not in known.get(card.id, ())
    ]
    if whole:
        steps += [(now, step) for step in _changed(found, known, now)]
    return [step for _, step in sorted(steps, key=lambda item: item[0])]


def _changed(
    found: Sequence[Card], known: Mapping[str, frozenset[str]], now: datetime
) -> list[NewStep]:
    """Return the withdrawals and reinstatements that a change of the norms has brought."""
    there = {card.id for card in found}
    changed = []
    for card, keys in known.items():
        withdrawn = sum(key.startswith("withdrawn:") for key in keys)
        reinstated = sum(key.startswith("reinstated:") for key in keys)
        if card not in there and withdrawn == reinstated:
            event = AuditEvent(EventTag.QUALITY_CARD_WITHDRAWN, now, {"cause": "norms"})
            changed.append(NewStep(card, f"withdrawn:{withdrawn + 1}", event))
        elif card in there and withdrawn > reinstated:
            event = AuditEvent(EventTag.QUALITY_CARD_REINSTATED, now, {"cause": "norms"})
            changed.append(NewStep(card, f"reinstated:{reinstated + 1}", event))
    return changed


def _event(card: Card, step: Step) -> AuditEvent:
    cause = card.cause
    details: dict[str, Any] = {
        "kind": cause.kind.value,
        "colour": step.colour.value,
        "dataset": cause.dataset,
        "partner": cause.partner,
        "period": cause.period,
        "batch": cause.batch,
    }
    if step.kind is StepKind.ISSUED:
        details |= {"due": cause.due.isoformat(), "remedy_by": cause.remedy_by.isoformat()}
        details["evidence"] = {k: v for k, v in cause.evidence.items() if k != "reason"}
    elif step.kind is StepKind.REMEDIED:
        details["remedied_by"] = cause.remedied_by
    if step.cause:
        details["cause"] = step.cause
    if step.act is not None:
        details |= _told_of(step.act)
    return AuditEvent(_TAGS[step.kind], step.at, details)


def _told_of(act: Act) -> dict[str, Any]:
    """Return an act as the ledger has it; the reason's text stays in the records."""
    told: dict[str, Any] = {"by": act.by, "act": act.id}
    if act.granted is not None:
        told["granted"] = act.granted
    if act.until is not None:
        told["until"] = act.until.isoformat()
    return told
