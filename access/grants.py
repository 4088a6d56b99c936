"""Grants: what a role of an agency may see beyond the rules, for a time.

A grant becomes a rule `grant-N` and passes the linter and Casbin as every rule does; so a denial
beats it, and it is never wider than its purpose. It opens, column by column, datasets that no rule
opens for the same question, and never more of one that a rule opens. Files of persons (`export`) no
rule may open: a grant is the approved application they leave on.

Source: 政务数据共享条例 (sharing on application); NIST SP 800-53 AC-2(2) (temporary accounts).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from access.lint import Sources, lint_sources
from access.model import Action
from access.purposes import Purpose
from access.rules import Rule, RuleFile
from hub.catalog import Catalog, Classification, Dataset, SharingType
from hub.store.access_steps import AccessStep
from hub.store.grants import Grant

PREFIX = "grant-"
LONGEST = timedelta(days=366)
ACTIONS = (Action.EXPORT, Action.LOOKUP, Action.SEARCH)
APPLY = (
    "可申请授权，由另一人批准 / apply for a grant (`hub access grant`); a second person approves it"
)
_LINE = 1  # a grant stands in no file


class GrantStep(StrEnum):
    """What can happen to a grant, once each, alphabetical."""

    DECLINED = "declined"
    EXHAUSTED = "exhausted"
    GIVEN = "given"
    REQUESTED = "requested"
    REVOKED = "revoked"


class GrantState(StrEnum):
    """Where a grant stands, alphabetical."""

    DECLINED = "declined"
    EXHAUSTED = "exhausted"
    EXPIRED = "expired"
    GIVEN = "given"
    REQUESTED = "requested"
    REVOKED = "revoked"
    WAITING = "waiting"


ENDED = {
    GrantState.DECLINED: "未获批准 / was declined",
    GrantState.EXHAUSTED: "次数已用完 / has no use left",
    GrantState.EXPIRED: "已到期 / has expired",
    GrantState.REQUESTED: "尚待批准 / waits for its approval",
    GrantState.REVOKED: "已收回 / was revoked",
    GrantState.WAITING: "尚未开始 / has not begun",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A grant and where it stands."""

    grant: Grant
    state: GrantState
    steps: Mapping[GrantStep, AccessStep]


def standings(
    grants: Sequence[Grant], steps: Sequence[AccessStep], now: datetime
) -> tuple[Standing, ...]:
    """Return where every grant stands.

    Args:
        steps: all about grants, in the order in which they were done.
    """
    done: dict[str, dict[GrantStep, AccessStep]] = defaultdict(dict)
    for step in steps:
        done[step.name][GrantStep(step.key)] = step
    return tuple(Standing(g, _state(g, done[str(g.id)], now), done[str(g.id)]) for g in grants)


def _state(grant: Grant, done: Mapping[GrantStep, AccessStep], now: datetime) -> GrantState:
    for step in (GrantStep.DECLINED, GrantStep.REVOKED, GrantStep.EXHAUSTED):
        if step in done:
            return GrantState(step.value)
    if now >= grant.valid_to:
        return GrantState.EXPIRED
    if GrantStep.GIVEN not in done:
        return GrantState.REQUESTED
    return GrantState.GIVEN if now >= grant.valid_from else GrantState.WAITING


def next_change(found: Sequence[Standing], now: datetime) -> datetime | None:
    """Return when the next grant begins or ends, None for never."""
    lasting = (GrantState.GIVEN, GrantState.WAITING)
    times = (
        at for s in found if s.state in lasting for at in (s.grant.valid_from, s.grant.valid_to)
    )
    return min((at for at in times if at > now), default=None)


def rule_of(grant: Grant, datasets: Sequence[str], *, case: bool) -> Rule:
    """Return a grant as a rule.

    Args:
        datasets: those of its datasets that it shall open.
        case: whether its purpose needs a case.
    """
    obligations = [] if Action.EXPORT in grant.actions else ["one_person_per_request"]
    if Action.SEARCH in grant.actions:
        obligations.append("list_cap=20")
    return Rule(
        id=f"{PREFIX}{grant.id}",
        line=_LINE,
        effect="allow",
        roles=(grant.role,),
        agencies=(grant.agency,),
        actions=grant.actions,
        datasets=tuple(datasets),
        purposes=(grant.purpose,),
        area="own" if grant.area else "any",
        case="required" if case or grant.case_name else "optional",
        show="clear",
        level=Classification.L4,
        obligations=tuple(obligations),
        because=f"授权 {PREFIX}{grant.id}：{grant.basis} / by grant",
    )


def too_wide(grant: Grant, sources: Sources, catalog: Catalog) -> tuple[str, ...]:
    """Return everything in a grant that may not be granted."""
    purpose = sources.purposes.get(grant.purpose)
    if purpose is None:
        return (f"没有 {grant.purpose} 这一目的 / there is no such purpose",)
    found = [*_words(grant, sources, catalog), *_columns(grant, purpose, catalog)]
    if found:
        return tuple(found)
    rule = rule_of(grant, tuple(grant.columns), case=purpose.needs_case)
    rules = RuleFile((*sources.rule_file.rules, rule))
    findings = lint_sources(replace(sources, rule_file=rules), catalog)
    return tuple(f.message for f in findings if f.message.startswith(f"{rule.id}: "))


def _words(grant: Grant, sources: Sources, catalog: Catalog) -> Iterator[str]:
    role = sources.roles.roles.get(grant.role)
    if role is None or grant.agency not in role.agencies:
        yield f"{grant.agency} 没有角色 {grant.role} / the agency has no such role"
    for action in grant.actions:
        if action not in ACTIONS:
            yield f"授权只限 / grants are for {', '.join(ACTIONS)} only, not {action}"
    if Action.EXPORT in grant.actions and len(grant.actions) > 1:
        yield "文件须单独授权 / a grant of export is for nothing else"
    if not grant.columns or not grant.actions:
        yield "须写明操作、数据集和字段 / name actions, datasets and columns"
    if not timedelta(0) < grant.valid_to - grant.valid_from <= LONGEST:
        yield f"期限须在 {LONGEST.days} 天以内 / it ends after it begins, within {LONGEST.days} days"
    if grant.uses_left is not None and grant.uses_left < 1:
        yield "次数须为正数 / uses are one or more"
    for name in grant.columns:
        if name not in catalog:
            yield f"没有数据集 {name} / no such dataset"
        elif _is_kept(catalog[name], grant.agency):
            yield f"{name} 不予共享 / its owner does not share it"


def _is_kept(dataset: Dataset, agency: str) -> bool:
    return dataset.sharing is SharingType.NOT_SHARED and dataset.owner != agency


def _columns(grant: Grant, purpose: Purpose, catalog: Catalog) -> Iterator[str]:
    for name, columns in grant.columns.items():
        if name not in catalog:
            continue
        there = {column.name for column in catalog[name].columns}
        for column in columns or ("",):
            if column not in there:
                yield f"{name} 没有字段 {column!r} / no such column"
            elif purpose.need(name, column) is None:
                yield f"{purpose.title}不需要 {name}.{column} / the purpose does not need it"
