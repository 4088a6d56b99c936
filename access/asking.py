"""What every road of the guard shares: decide, read, and the entry and answer of each outcome.

A road prepares: it decides, reads the least, applies the decision, and returns the answer still
locked, together with the ledger entries that must be durable before it opens.

Where only the own area is open, a person who is not there and a person who lives elsewhere get
the same answer, with one entry each.

Source: XACML 3.0 (PEP, obligations); 个人信息保护法 45, 51, 55-56.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from access import disclosure
from access.answers import Answer, Receipt, SubjectView
from access.bulks import Bulks
from access.cases import NOT_OF_CASE, standing
from access.decision import Decider
from access.disclosure import Context, Part
from access.emergency_desk import EmergencyDesk, block_of
from access.finding import KEY_BYTES, Finder
from access.granting import exhausted
from access.keeper import InForce
from access.limits import Over
from access.model import Action, Actor, Decision, Request, Trait
from access.plan import Plan, denied_plan
from access.ports import GuardKeys, LedgerLog, Proofs, RegisterSource, SnapshotReader, Snapshots
from access.privacy import Noise
from access.publicity import Publicity
from access.recording import Prepared
from access.rendering import Document
from access.traits import Asker, Askers, traits_of
from access.usage_record import RecordedActor, UsageRecord
from hub.catalog import Catalog
from hub.clock import Clock
from hub.errors import RequestError
from hub.store.registers import Registers

_LONGEST_CASE = 64

Found = tuple[bytes, Document]

#: The purpose under which citizens see what is held about them.
OWN_DATA = "own.data"

_NOBODY = Asker()
#: What is said of who is nobody's business at this post, to the ledger and to the person.
_NOT_HERE = "不由该岗位办理 / not for this post"


@dataclass(frozen=True, slots=True)
class Means:
    """What the roads stand on.

    Args:
        identify: makes the id of a request that comes without one.
        emergencies: where masks are lifted and emergencies opened; without it none are.
        spend: takes a use of each of some grants, of all or none.
        noise: what counts with noise need; without it they are refused.
        proofs: makes what a citizen takes home; without it there are none.
        bulks: where files of persons lie, and who is in each; without it none are given.
        publicity: bounds how long uses may wait to be made public.
    """

    force: InForce
    catalog: Catalog
    snapshots: Snapshots
    ledger: LedgerLog
    keys: GuardKeys
    clock: Clock
    registers: RegisterSource
    finder: Finder
    askers: Askers
    identify: Callable[[], str]
    noise: Noise | None
    spend: Callable[[Sequence[int], datetime], bool]
    emergencies: EmergencyDesk | None
    publicity: Publicity
    proofs: Proofs | None
    bulks: Bulks | None

    @property
    def decider(self) -> Decider:
        """What decides."""
        return self.force.decider

    def seen_as(self, actor: Actor) -> Actor:
        """Return an actor as they are by now: who is suspended is not active."""
        if self.keys.actor.of(actor.id).hex() in self.force.suspended:
            return replace(actor, active=False)
        return actor


@dataclass(frozen=True, slots=True)
class Asked:
    """One request on its way: the plan, and what its entries share.

    Args:
        registers: the registers of cases and protected persons, as they were when it was asked.
        members: keyed names of the persons it may be about, None for everybody.
        asker: the actor as a person of the snapshot, once it is read.
        snapshot: the snapshot that is read, None before one is.
    """

    request: Request
    plan: Plan
    context: Context
    registers: Registers
    members: frozenset[bytes] | None = None
    asker: Asker = _NOBODY
    snapshot: SnapshotReader | None = None

    @property
    def actor(self) -> Actor:
        """Who asked."""
        return self.request.actor

    @property
    def decision(self) -> Decision:
        """What was decided."""
        return self.plan.decision

    @property
    def time(self) -> datetime:
        """When it was asked."""
        return self.context.time

    @property
    def today(self) -> date:
        """The day on which it was asked."""
        return self.context.time.date()


def ask(means: Means, request: Request, request_id: str) -> Asked:
    """Return the decision on a request, on its way.

    Raises:
        RequestError: when the case reference is too long.
        SourceError: when the registers cannot be read.
        LedgerError: when uses have waited too long to be made public.
    """
    if request.action not in (Action.OWN, Action.AGGREGATE):
        means.publicity.require(request.at)
    if request.case is not None and len(request.case) > _LONGEST_CASE:
        raise RequestError(f"a case reference has at most {_LONGEST_CASE} characters")
    name = means.keys.actor.of(request.actor.id).hex()
    if name in means.force.suspended:
        request = replace(request, actor=replace(request.actor, active=False))
    registers = means.registers.current()
    case_name = means.keys.case.of(request.case).hex() if request.case else None
    purpose = means.decider.policy.purposes.get(request.purpose)
    members = None
    if purpose is not None and purpose.goes_by_register:
        case = registers.cases.get(case_name or "")
        said = standing(case, request.actor.agency, purpose.code, request.at)
        request = replace(request, standing=said)
        if purpose.case == "member":
            members = case.members if case is not None else frozenset()
    number = blocked_by(means, request.actor, name)
    if number is not None and request.action is not Action.OWN:
        plan = denied_plan(means.decider.plan(request), *block_of(number))
    else:
        plan = _plan(means, request, case_name)
    context = Context(
        actor=RecordedActor.of(request.actor, name),
        decision=plan.decision,
        case_name=case_name,
        request_id=request_id or means.identify(),
        time=request.at,
        asked=_asked_for(means, request),
        seal=means.force.seals.covering(
            request.actor.agency, request.purpose, case_name, request.at
        ),
    )
    return Asked(request, plan, context, registers, members)


def blocked_by(means: Means, actor: Actor, name: str) -> int | None:
    """Return the number of the emergency that blocks an account or the person behind it."""
    blocked = means.force.blocked
    if name in blocked or not blocked or actor.binding is None:
        return blocked.get(name)
    return blocked.get(means.keys.actor.of(actor.binding).hex())


def _plan(means: Means, request: Request, case_name: str | None) -> Plan:
    """Return the plan of a request, with a use taken of each grant that it rests on."""
    granting = means.force.granting
    plan = granting.plan(request, case_name)
    if plan.decision.grants:
        counted = granting.counted(plan.decision)
        if counted and not means.spend(counted, request.at):
            return exhausted(granting, request, plan.decision.grants)
    return plan


def denied(means: Means, asked: Asked, reason: str, remedy: str) -> Prepared[Answer]:
    """Return a refusal for a reason that the rules do not know of."""
    plan = denied_plan(asked.plan, reason, remedy)
    context = replace(asked.context, decision=plan.decision)
    return refused(means, replace(asked, plan=plan, context=context))


def _asked_for(means: Means, request: Request) -> tuple[str, ...] | None:
    """Return the datasets asked for as the ledger has them: what the catalogue lacks is "unknown"."""
    if request.datasets is None:
        return None
    names = (name if name in means.catalog else "unknown" for name in request.datasets)
    return tuple(dict.fromkeys(names))


def reading(means: Means, asked: Asked, snapshot: SnapshotReader) -> Asked:
    """Return the request as one that reads a snapshot.

    Raises:
        SourceError, KeyMissing: when the asker's own document cannot be opened.
    """
    context = replace(
        asked.context, snapshot=snapshot.version, lake_snapshot=snapshot.lake_snapshot
    )
    if asked.decision.action in (Action.AGGREGATE, Action.OWN):
        return replace(asked, context=context, snapshot=snapshot)
    asker = means.askers.of(snapshot, asked.actor, asked.time)
    return replace(asked, context=context, asker=asker, snapshot=snapshot)


def traits_about(means: Means, asked: Asked, key: bytes, document: Document) -> frozenset[Trait]:
    """Return the traits of a person towards who asks."""
    register = asked.registers.protected
    protection = register.get(means.keys.protected.of(key)) if register else None
    protected = protection is not None and protection.holds(asked.time)
    return traits_of(key, document, asked.today, asked.asker, protected=protected)


def shown(means: Means, asked: Asked, part: Part) -> UsageRecord:
    """Return the usage record of something that is shown."""
    return disclosure.record(asked.context, means.decider.policy.purposes, part, shows=True)


def not_shown(means: Means, asked: Asked, part: Part) -> UsageRecord:
    """Return the usage record of a refusal, or of a question that found nobody."""
    return disclosure.record(asked.context, means.decider.policy.purposes, part, shows=False)


def known(means: Means, datasets: Iterable[str]) -> tuple[str, ...]:
    """Return the datasets of the catalogue among names that somebody gave."""
    return tuple([name for name in datasets if name in means.catalog])


def refused(means: Means, asked: Asked) -> Prepared[Answer]:
    """Return the refusal that was decided."""
    decision = asked.decision
    told = not_shown(means, asked, Part(datasets=known(means, decision.datasets), refused=True))
    complete = answer(asked, decision.reason, decision.remedy, allowed=False)
    return Prepared((told,), complete, refusal_for(means, asked))


def too_much(means: Means, asked: Asked, over: Over) -> UsageRecord:
    """Return the record of a request that is refused for being more than the actor may."""
    return not_shown(means, asked, Part(refused=True, reason=over.reason, limit=over.limit))


def refusal_for(means: Means, asked: Asked) -> Callable[[Over], Prepared[Answer]]:
    """Return what refuses a request that is too much; whoever it would show, it is the same."""

    def refusal(over: Over) -> Prepared[Answer]:
        complete = answer(asked, over.reason, over.remedy, allowed=False, wait_seconds=over.seconds)
        return Prepared((too_much(means, asked, over),), complete)

    return refusal


def nobody(means: Means, asked: Asked, key: bytes | None) -> Prepared[Answer]:
    """Nobody to show. With an area to keep to, not there and not yours are one answer.

    The entries are alike too: who is not there has the label of a person whom there never was, so
    that neither the ledger's size nor its work tells the two apart.

    Args:
        key: subject key of the person who was found and may not be shown, or None.
    """
    if asked.members is not None:
        return refusal_of(means, asked, key, *NOT_OF_CASE)
    area = asked.decision.row_filter
    if area is None:
        reason = "没有查到此人 / nobody was found"
        label = None if key is None else means.keys.label.of(key)
        told = not_shown(means, asked, Part(label, reason=reason, nobody=True))
        complete = answer(asked, "没有查到此人 / nobody is held under this value", "")
        return Prepared((told,), complete, refusal_for(means, asked))
    told = _nobody_told(means, asked, key, "不在该岗位的辖区 / not in the actor's area")
    reason = (
        f"您的辖区（{'、'.join(area)}）内没有此人；其他辖区有无，不予告知"
        " / nobody under this value lives in the area of your post; whether somebody does "
        "elsewhere is not told"
    )
    remedy = "请转此人居住地的岗位办理 / turn to the post of the area the person lives in"
    complete = answer(asked, reason, remedy, allowed=False)
    return Prepared((told,), complete, refusal_for(means, asked))


def refusal_of(
    means: Means, asked: Asked, key: bytes | None, reason: str, remedy: str
) -> Prepared[Answer]:
    """Return the refusal to show a person, whatever the reason; the ledger is told no more.

    Args:
        key: subject key of the person, None for nobody: as with `nobody`, the entries are alike.
    """
    told = _nobody_told(means, asked, key, _NOT_HERE)
    complete = answer(asked, reason, remedy, allowed=False)
    return Prepared((told,), complete, refusal_for(means, asked))


def _nobody_told(means: Means, asked: Asked, key: bytes | None, reason: str) -> UsageRecord:
    """Return the record of nobody shown, about the person of a key or about one there never was."""
    label = means.keys.label.of(key or secrets.token_bytes(KEY_BYTES))
    return not_shown(means, asked, Part(label, reason=reason, refused=True, nobody=True))


def list_cap(plan: Plan) -> int | None:
    """Return how many persons the policy lets be shown at once, None where it does not say."""
    for obligation in plan.decision.obligations:
        name, _, number = obligation.partition("=")
        if name == "list_cap":
            return int(number)
    return None


def answer(
    asked: Asked,
    reason: str,
    remedy: str,
    *,
    allowed: bool = True,
    subjects: tuple[SubjectView, ...] = (),
    more: bool = False,
    wait_seconds: int | None = None,
) -> Callable[[Receipt], Answer]:
    """Return what makes the answer of a receipt."""

    def complete(receipt: Receipt) -> Answer:
        return Answer(
            allowed=allowed,
            reason=reason,
            remedy=remedy,
            decision=asked.decision,
            subjects=subjects,
            more=more,
            receipt=receipt,
            request_id=asked.context.request_id,
            time=asked.time,
            policy_version=asked.decision.policy_version,
            snapshot_version=asked.context.snapshot,
            wait_seconds=wait_seconds,
        )

    return complete
