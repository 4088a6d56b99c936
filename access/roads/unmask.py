"""Masks lifted by a second person's approval, and emergencies reviewed afterwards.

Both show a person in clear, so both take the road of every other question: decide, read, record,
release. What is new is that the request, the approval and each release are steps of their own
(`access.emergency_desk`), written down and told before anything is shown. Whoever is killed in
between may have spent a release and seen nothing; never the other way round.

Source: NIST SP 800-53 AC-3(10) (audited override); 个人信息保护法 13(1)(4), 51, 55-56.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from access import rendering
from access.answers import Answer, EmergencyQuery, LookupQuery, UnderQuery, UnmaskQuery
from access.asking import (
    Asked,
    Means,
    ask,
    denied,
    list_cap,
    nobody,
    reading,
    refused,
    traits_about,
)
from access.desk import Act
from access.duties import Refusal
from access.emergency import ANSWER_WITHIN, MOST_PERSONS, WINDOW, Standing, unusable
from access.emergency_desk import Denied, EmergencyDesk
from access.finding import KEY_BYTES
from access.model import CLEAR, Action, Actor, Request
from access.recording import Prepared
from access.releasing import found
from access.rendering import Document
from access.showing import may_show, own_refusal
from hub.errors import RequestError
from hub.plain import require_reason
from hub.store.emergencies import Emergency, Kind

_SECOND, _REVIEW = "second_person", "review"
_NOT_SO = (
    "该目的不以此方式提供 / the purpose does not let it be seen in this way",
    "请按目的登记册办理 / see the purpose register for the way it is meant for",
)
_OTHER_CASE = (
    "不是申请时填写的案件 / this is not the case it was asked for",
    "请填写申请时的案件编号 / give the case reference it was asked with",
)

Outcome = Standing | Prepared[Answer]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A mask that may be asked to be lifted; nobody was asked yet.

    Args:
        counted: what it is counted by, so that asking tells no more often than a look-up who is
            there; never recorded itself.
        ask: asks, and returns where the request stands.
    """

    counted: Prepared[Answer]
    ask: Callable[[], Standing]


def request(means: Means, actor: Actor, query: UnmaskQuery) -> Wanted | Prepared[Answer]:
    """Prepare to ask for a mask to be lifted.

    Whether there is such a person, and whether they may be shown, is not looked at before a second
    person has approved: else asking would tell who is held, and who is protected.

    Returns:
        What asks, once it is counted, or the refusal still locked.

    Raises:
        RequestError: when the value, case, columns or reason are not well formed.
        SourceError: when the snapshot cannot be read.
    """
    desk = _desk(means)
    require_reason(query.reason)
    columns = _columns(means, query.columns)
    asking = _request(means, actor, query.purpose, query.case, query.columns)
    asked = ask(means, asking, query.request_id)
    if not asked.decision.allowed:
        return refused(means, asked)
    if _SECOND not in asked.decision.obligations:
        return denied(means, asked, *_NOT_SO)
    closed = [name for name in query.columns if asked.decision.fields.get(name) != CLEAR]
    if closed:
        return denied(means, asked, *_closed(closed))
    find = means.finder.of(actor, LookupQuery(query.by, query.value, query.purpose))
    key = find(means.snapshots.current()) or secrets.token_bytes(KEY_BYTES)
    wanted = Emergency(
        id=0,
        kind=Kind.UNMASK,
        actor=desk.account(actor),
        person=desk.person(actor),
        agency=actor.agency,
        purpose=query.purpose,
        case_name=asked.context.case_name or "",
        columns=columns,
        subject=None,
        persons_max=1,
        opened_at=asked.time,
        expires_at=asked.time + ANSWER_WITHIN,
        review_by=asked.time + ANSWER_WITHIN,
    )
    wanted = replace(wanted, subject=desk.subject(wanted, key))
    act = Act(actor.id, query.reason, asked.time)
    return Wanted(refused(means, asked), lambda: desk.ask(wanted, act))


def open_(means: Means, actor: Actor, query: EmergencyQuery) -> Outcome:
    """Open an emergency.

    Returns:
        Where it stands, or the refusal still locked.

    Raises:
        RequestError: when case, number of persons, minutes or reason are not well formed.
        LedgerError: when the ledger cannot be told; nobody is shown before it is.
    """
    desk = _desk(means)
    require_reason(query.reason)
    lasting = timedelta(minutes=query.minutes)
    if not timedelta(0) < lasting <= WINDOW:
        raise RequestError("1 至 60 分钟 / between 1 and 60 minutes")
    asking = _request(means, actor, query.purpose, query.case, None)
    asked = ask(means, asking, query.request_id)
    if not asked.decision.allowed:
        return refused(means, asked)
    days = _review_days(asked)
    if days is None:
        return denied(means, asked, *_NOT_SO)
    most = min(list_cap(asked.plan) or MOST_PERSONS, MOST_PERSONS)
    persons = most if query.persons is None else query.persons
    if not 0 < persons <= most:
        raise RequestError(f"1 至 {most} 人 / between 1 and {most} persons")
    wanted = Emergency(
        id=0,
        kind=Kind.EMERGENCY,
        actor=desk.account(actor),
        person=desk.person(actor),
        agency=actor.agency,
        purpose=query.purpose,
        case_name=asked.context.case_name or "",
        columns={},
        subject=None,
        persons_max=persons,
        opened_at=asked.time,
        expires_at=asked.time + lasting,
        review_by=asked.time,
    )
    opened = desk.open(wanted, days, Act(actor.id, query.reason, asked.time))
    if isinstance(opened, Refusal):
        return denied(
            means,
            asked,
            opened.reason,
            "请用已开的一次，或待其结束 / use it, or wait until it has ended",
        )
    return opened


def release(means: Means, actor: Actor, query: UnderQuery) -> Prepared[Answer]:
    """Decide and read for one person under a lifted mask or an emergency of the actor's own.

    Raises:
        NotFound: when the actor has none of that number.
        RequestError: when the value or case is not well formed; nothing is to be recorded.
        SourceError, KeyMissing: when the document cannot be read.
        LedgerError: when the ledger cannot be told; nothing is released.
    """
    desk = _desk(means)
    standing = desk.own(query.number, actor, means.clock.now())
    opened = standing.emergency
    names = tuple(f"{name}.{column}" for name, all_ in opened.columns.items() for column in all_)
    asking = _request(means, actor, opened.purpose, query.case, names or None)
    asked = ask(means, asking, query.request_id)
    under = replace(asked.context, under=opened.id, is_emergency=opened.kind is Kind.EMERGENCY)
    asked = replace(asked, context=under)
    if not asked.decision.allowed:
        return refused(means, asked)
    if not _still(asked, opened):
        return denied(means, asked, *_NOT_SO)
    if asked.context.case_name != opened.case_name:
        return denied(means, asked, *_OTHER_CASE)
    if not standing.is_open:
        return denied(means, asked, *unusable(standing))
    person = _person(means, asked, actor, query, opened)
    if isinstance(person, Prepared):
        return person
    asked, key, document = person
    traits = traits_about(means, asked, key, document)
    shown = rendering.render(document, asked.plan, actor.area, traits).fields
    closed = [name for name in names if shown.get(name, CLEAR) != CLEAR]
    if closed:
        return denied(means, asked, *_closed(closed))
    prepared = found(means, asked, [(key, document)], more=False)
    taken = desk.take(opened.id, key, Act(actor.id, standing.began.reason, asked.time))
    if isinstance(taken, Denied):
        return denied(means, asked, taken.reason, taken.remedy)
    return prepared


def _desk(means: Means) -> EmergencyDesk:
    if means.emergencies is None:
        raise RequestError("此处不能解除遮盖 / masks are not lifted here")
    return means.emergencies


def _request(
    means: Means, actor: Actor, purpose: str, case: str, columns: tuple[str, ...] | None
) -> Request:
    datasets = None
    if columns is not None:
        datasets = tuple(dict.fromkeys(name.rpartition(".")[0] for name in columns))
    return Request(
        actor, Action.UNMASK, datasets, purpose, case, columns=columns, at=means.clock.now()
    )


def _columns(means: Means, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return dataset -> columns of names; every one is in the catalogue."""
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        dataset, _, column = name.rpartition(".")
        held = {c.name for c in means.catalog[dataset].columns} if dataset in means.catalog else ()
        if column not in held:
            raise RequestError(
                "没有这样的字段 / there is no such column: name them as dataset.column"
            )
        found.setdefault(dataset, []).append(column)
    if not found:
        raise RequestError("请写明字段 / name the columns")
    return {dataset: tuple(columns) for dataset, columns in found.items()}


def _closed(names: list[str]) -> tuple[str, str]:
    return (
        f"该目的不能完整显示：{'、'.join(names)} / the purpose does not let these be seen in clear",
        "请去掉这些字段 / leave these columns out",
    )


def _review_days(asked: Asked) -> int | None:
    """Return within how many working days it is reviewed; None where it is approved before."""
    if _SECOND in asked.decision.obligations:
        return None
    words = (word.partition("=") for word in asked.decision.obligations)
    return next((int(number) for name, _, number in words if name == _REVIEW), None)


def _still(asked: Asked, opened: Emergency) -> bool:
    """Say whether the policy of by now still lets it be seen in the way it was asked for."""
    if opened.kind is Kind.EMERGENCY:
        return _review_days(asked) is not None
    fields = asked.decision.fields
    names = (f"{name}.{column}" for name, all_ in opened.columns.items() for column in all_)
    return _SECOND in asked.decision.obligations and all(fields.get(n) == CLEAR for n in names)


def _person(
    means: Means, asked: Asked, actor: Actor, query: UnderQuery, opened: Emergency
) -> tuple[Asked, bytes, Document] | Prepared[Answer]:
    """Return who is found and may be shown, or the answer that there is nobody.

    Somebody else than was asked for counts as nobody: what was approved opens no other question.
    """
    find = means.finder.of(actor, LookupQuery(query.by, query.value, opened.purpose))
    snapshot = means.snapshots.current()
    asked = reading(means, asked, snapshot)
    key = find(snapshot)
    if key is not None and not _desk(means).is_for(opened, key):
        key = None
    document = means.finder.open(snapshot, key)
    if key is None or document is None:
        return nobody(means, asked, None)
    if not may_show(means, asked, key, document):
        return own_refusal(means, asked, key, document) or nobody(means, asked, key)
    return asked, key, document
