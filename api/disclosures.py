"""Disclosures as bodies: what the guard released or refused, in words and with its receipt.

With `api.emergencies` and `api.bulk` the only module of the doors that asks the guard about persons.
A refusal is a body like any other: it carries its reason, what can be done about it and its receipt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from access.answers import (
    Answer,
    Erased,
    LookupQuery,
    NoiseSpent,
    Receipt,
    RecordView,
    SearchQuery,
    StatsAnswer,
    StatsQuery,
    SubjectView,
    Use,
    Withheld,
)
from access.emergency import TITLES, State
from access.erasure_grounds import ERASURE_GROUNDS
from access.model import Action
from api.outcome import Outcome
from api.problems import problem
from api.services import Services
from api.tokens import Session
from api.vocabulary import Vocabulary
from api.wire.officer import LookupBody, SearchBody
from api.wire.statistics import StatisticsQuery
from hub.errors import AccessDenied, NotFound, TooMuch


async def look_up(services: Services, session: Session, body: LookupBody) -> Outcome:
    """Return one person by identity number or by the handle of a search."""
    answer = await services.guard.lookup_async(
        session.actor,
        LookupQuery(
            by=body.by,
            value=body.value,
            purpose=body.purpose,
            case=body.case,
            datasets=body.datasets,
            request_id=services.new_request_id(),
        ),
    )
    return outcome_of(answer, services.vocabulary)


async def search(services: Services, session: Session, body: SearchBody) -> Outcome:
    """Return the persons under a name and birth date, a telephone number or an address."""
    answer = await services.guard.search_async(
        session.actor,
        SearchQuery(
            by=body.by,
            value=body.value,
            birth_date=body.birth_date.isoformat() if body.birth_date else None,
            purpose=body.purpose,
            case=body.case,
            datasets=body.datasets,
            request_id=services.new_request_id(),
        ),
    )
    return outcome_of(answer, services.vocabulary)


async def count(services: Services, session: Session, query: StatisticsQuery) -> Outcome:
    """Return counts of one dataset by up to three breakdowns, rounded or with noise."""
    answer = await services.guard.statistics_async(
        session.actor,
        StatsQuery(
            dataset=query.dataset,
            by=query.breakdowns,
            purpose=query.purpose,
            first_month=query.first_month,
            last_month=query.last_month,
            area=query.area,
            protection=query.protection,
            request_id=services.new_request_id(),
        ),
    )
    if not answer.allowed:
        return refusal(answer)
    return Outcome(200, _counts(answer, query.dataset, services.vocabulary))


async def own_records(services: Services, session: Session) -> Outcome:
    """Return what is held about the citizen who asks."""
    answer = await services.guard.own_records_async(
        session.actor, session.id, request_id=services.new_request_id()
    )
    return outcome_of(answer, services.vocabulary)


def own_uses(services: Services, session: Session, limit: int) -> Outcome:
    """Return who used the records of the citizen who asks, newest first."""
    uses = services.guard.own_uses(session.actor, limit=limit)
    published = services.ledger.published()
    size = 0 if published is None else published.size
    return Outcome(
        200,
        {"uses": [{**_use(use, services.vocabulary), "public": use.index < size} for use in uses]},
    )


def purposes_of(services: Services, session: Session) -> Outcome:
    """Return the purposes the actor's roles may state for looking people up."""
    wanted = {Action.LOOKUP, Action.SEARCH}
    purposes = [
        {
            "code": purpose.code,
            "title": purpose.title,
            "plain": purpose.plain,
            "legal_basis": purpose.legal_basis,
            "case": purpose.case,
            "actions": [action.value for action in purpose.actions],
            "datasets": [
                {"dataset": name, "title": services.vocabulary.dataset_title(name)}
                for name in purpose.needs
                if name != "*"
            ],
        }
        for purpose in services.vocabulary.purposes_of(session.actor)
        if wanted & set(purpose.actions)
    ]
    return Outcome(200, {"purposes": purposes})


def outcome_of(answer: Answer, vocabulary: Vocabulary) -> Outcome:
    """Return what was released or refused, or that there is nobody, as a body."""
    if not answer.allowed:
        return refusal(answer)
    if not answer.subjects:
        detail = "没有查到符合条件的人员。 / Nobody is held under what you gave."
        return Outcome(404, problem(404, NotFound.code, NotFound.title, detail, **trace(answer)))
    return Outcome(200, _released(answer, vocabulary))


def refusal(answer: Answer | StatsAnswer) -> Outcome:
    """Return why nothing was released as a body."""
    kind = AccessDenied if answer.wait_seconds is None else TooMuch
    body = problem(
        kind.status,
        kind.code,
        kind.title,
        answer.reason,
        reasons=list(answer.decision.reasons),
        near_misses=list(answer.decision.near_misses),
        **trace(answer),
    )
    if answer.remedy:
        body["remedy"] = answer.remedy
    if answer.wait_seconds is None:
        return Outcome(kind.status, body)
    return Outcome(kind.status, body, {"Retry-After": str(answer.wait_seconds)})


def trace(answer: Answer | StatsAnswer) -> dict[str, Any]:
    """Return what lets anyone find the request again: number, policy, receipt."""
    return {
        "request_id": answer.request_id,
        "time": answer.time,
        "policy": answer.policy_version,
        "snapshot": answer.snapshot_version,
        "receipt": receipt(answer.receipt),
    }


def receipt(value: Receipt) -> dict[str, Any]:
    """Return a ledger receipt as a body."""
    return {
        "index": value.index,
        "indexes": value.indexes,
        "leaf": value.leaf,
        "checkpoint": value.checkpoint,
    }


def _released(answer: Answer, vocabulary: Vocabulary) -> dict[str, Any]:
    decision = answer.decision
    purpose = vocabulary.purpose(decision.purpose)
    return {
        "allowed": True,
        "reason": answer.reason,
        "reasons": decision.reasons,
        "purpose": {
            "code": decision.purpose,
            "title": purpose.title if purpose else decision.purpose,
        },
        "obligations": decision.obligations,
        "rules": decision.rules,
        "subjects": [_subject(subject, vocabulary) for subject in answer.subjects],
        "more": answer.more,
        **trace(answer),
    }


def _subject(subject: SubjectView, vocabulary: Vocabulary) -> dict[str, Any]:
    return {
        "handle": subject.handle or None,
        "fields": [vocabulary.golden_cell(name, cell) for name, cell in subject.golden.items()],
        "records": [_record(record, vocabulary) for record in subject.records],
    }


def _record(record: RecordView, vocabulary: Vocabulary) -> dict[str, Any]:
    dataset, treatments = record.dataset, record.treatments
    entry = vocabulary.dataset(dataset)
    cell = vocabulary.cell
    return {
        "dataset": dataset,
        "title": entry.title if entry else dataset,
        "owner": entry.owner if entry else "",
        "owner_title": vocabulary.agency(entry.owner) if entry else "",
        "role": record.role,
        "record": record.record,
        "batch": record.batch,
        "since": record.since,
        "cells": [
            cell(dataset, column, value, treatments[column])
            for column, value in record.values.items()
        ],
    }


def _counts(answer: StatsAnswer, dataset: str, vocabulary: Vocabulary) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "title": vocabulary.dataset_title(dataset),
        "columns": [
            {
                "name": name,
                "title": _BREAKDOWNS.get(name) or vocabulary.column_title(dataset, name),
            }
            for name in answer.columns
        ],
        "labels": _labels(answer, dataset, vocabulary),
        "rows": answer.rows,
        "protection": "rounding" if answer.noise is None else "noise",
        "threshold": answer.threshold,
        "suppressed": answer.suppressed,
        "rounded_to": answer.rounded_to,
        "noise": None if answer.noise is None else _noise(answer.noise),
        "reason": answer.reason,
        **trace(answer),
    }


def _noise(spent: NoiseSpent) -> dict[str, Any]:
    return {
        "epsilon": spent.epsilon / 1000,
        "spent": spent.spent / 1000,
        "budget": spent.budget / 1000,
        "left": (spent.budget - spent.spent) / 1000,
        "period": spent.period,
        "unit": "record",
    }


def _labels(answer: StatsAnswer, dataset: str, vocabulary: Vocabulary) -> dict[str, dict[str, str]]:
    """Return what the codes in the rows mean, column by column; columns without codes are out."""
    found: dict[str, dict[str, str]] = {}
    for position, name in enumerate(answer.columns[:-1]):
        is_place = name in ("street", "community", "grid")
        labels = vocabulary.places() if is_place else vocabulary.labels(dataset, name)
        if labels:
            codes = {str(row[position]) for row in answer.rows}
            found[name] = {code: labels[code] for code in sorted(codes) if code in labels}
    return found


_BREAKDOWNS: Mapping[str, str] = {
    "month": "月份",
    "street": "街道",
    "community": "社区",
    "grid": "网格",
    "count": "数量",
}


def _use(use: Use, vocabulary: Vocabulary) -> dict[str, Any]:
    return {
        "index": use.index,
        "time": use.time,
        "outcome": use.outcome,
        "agency": use.agency,
        "agency_title": use.agency_title,
        "post": use.post,
        "purpose": use.purpose,
        "purpose_title": use.purpose_title,
        "legal_basis": use.legal_basis,
        "action": use.action,
        "road": use.road,
        "role": use.role,
        "datasets": use.datasets,
        "fields": [
            {**field, "dataset_title": vocabulary.dataset_title(field["dataset"])}
            for field in use.fields
        ],
        "with_case": use.with_case,
        "under": use.under,
        "under_title": TITLES[State(use.under)] if use.under else "",
        "reason": use.reason,
        "snapshot": use.snapshot,
        "lake_snapshot": use.lake_snapshot,
        "request": use.request,
        "withheld": None if use.withheld is None else _withheld(use.withheld),
        "erased": None if use.erased is None else _erased(use.erased, vocabulary),
        "persons": use.persons,
        "proof": "" if use.erased else f"/v1/me/uses/{use.index}/proof",
    }


def _withheld(held: Withheld) -> dict[str, Any]:
    return {"until": held.until, "ground": held.ground, "legal_basis": held.legal_basis}


def _erased(erased: Erased, vocabulary: Vocabulary) -> dict[str, Any]:
    ground = ERASURE_GROUNDS.get(erased.ground)
    return {
        "at": erased.at,
        "by": erased.by,
        "by_title": vocabulary.agency(erased.by),
        "ground": erased.ground,
        "ground_title": ground.title if ground else erased.ground,
    }
