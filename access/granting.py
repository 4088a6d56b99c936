"""Decides with grants: by the policy first, and beyond it where a grant fits the question.

Without a grant about purpose and action this costs one dictionary read. With one, the request is
put to the same kind of decider over the policy's rules and the grants' together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from access.admission import held_roles
from access.decision import Decider
from access.grants import APPLY, ENDED, PREFIX, GrantState, Standing, rule_of
from access.kept import Kept
from access.model import Actor, Decision, Request
from access.plan import Plan
from access.policy import Policy
from access.purposes import Purpose, PurposeRegister
from access.roles import RoleRegister
from hub.store.grants import Grant


class Granting:
    """Plans requests under the policy, and beyond it where a grant allows.

    Args:
        base: decides by the policy alone.
        found: every grant that was ever given, and where it stands.
    """

    def __init__(self, base: Decider, found: Sequence[Standing]) -> None:
        self.base = base
        self.grants = {standing.grant.id: standing.grant for standing in found}
        self._revoked = {s.grant.id for s in found if s.state is GrantState.REVOKED}
        self._by_question: dict[tuple[str, str], list[Standing]] = defaultdict(list)
        for standing in found:
            for action in standing.grant.actions:
                self._by_question[standing.grant.purpose, action].append(standing)
        self._deciders: Kept[Decider] = Kept(100)

    def plan(self, request: Request, case_name: str | None) -> Plan:
        """Return the plan of a request; its decision names the grants it rests on.

        Args:
            case_name: keyed name of the request's case, None without.
        """
        plan = self.base.plan(request)
        found = self._by_question.get((request.purpose, request.action))
        if not found or not request.actor.active:
            return plan
        fitting, near = [], []
        for standing in found:
            routine = plan.decision.allowed and request.datasets is None
            if routine and standing.grant.uses_left is not None:
                continue  # a use is spent by who asks for it by name, or has nothing else
            if not self._concerns(standing.grant, request):
                continue
            reason = _unfit(standing, request, case_name, self.base.policy.roles)
            if reason is None:
                fitting.append(standing.grant)
            else:
                near.append(f"{PREFIX}{standing.grant.id} {reason}")
        wider = self._wider(request, fitting) if fitting else None
        if wider is not None and wider.decision.allowed:
            return wider
        return told(plan, near)

    def _concerns(self, grant: Grant, request: Request) -> bool:
        """Say whether a grant is about something that is asked for and no rule opens."""
        asked = request.datasets
        return any(
            (asked is None or name in asked) and not self._open(request, name)
            for name in grant.columns
        )

    def _open(self, request: Request, name: str) -> bool:
        gathered = self.base.gather(request, self.base.catalog[name])
        return gathered.own.open and (bool(request.actor.area) or gathered.elsewhere.open)

    def _wider(self, request: Request, fitting: Sequence[Grant]) -> Plan:
        closed = frozenset(
            name for g in fitting for name in g.columns if not self._open(request, name)
        )
        key = (tuple(g.id for g in fitting), closed)
        decider = self._deciders.get(key, request.at)
        if decider is None:
            decider = self.base.under(_widened(self.base.policy, fitting, closed))
            self._deciders.put(key, decider)
        plan = decider.plan(request)
        names = tuple(name for name in plan.decision.rules if name.startswith(PREFIX))
        return replace(plan, decision=replace(plan.decision, grants=names))

    def is_revoked(self, name: str) -> bool:
        """Say whether a grant, as decisions name it, was taken back."""
        return int(name.removeprefix(PREFIX)) in self._revoked

    def counted(self, decision: Decision) -> tuple[int, ...]:
        """Return the grants of a decision whose uses are counted."""
        numbers = (int(name.removeprefix(PREFIX)) for name in decision.grants)
        return tuple(n for n in numbers if self.grants[n].uses_left is not None)


def told(plan: Plan, near: Sequence[str]) -> Plan:
    """Return a refused plan with what is wrong with the grants there are, and how to apply."""
    if plan.decision.allowed or not near:
        return plan
    decision = plan.decision
    return replace(
        plan,
        decision=replace(
            decision,
            reason=f"{decision.reason}；{near[0]}",
            near_misses=(*near, *decision.near_misses),
            remedy=f"{decision.remedy}；{APPLY}" if decision.remedy else APPLY,
        ),
    )


def exhausted(granting: Granting, request: Request, grants: Sequence[str]) -> Plan:
    """Return what is left to a request whose grants were used up by another just now."""
    ended = ENDED[GrantState.EXHAUSTED]
    return told(granting.base.plan(request), [f"{name} {ended}" for name in grants])


def _unfit(
    standing: Standing, request: Request, case_name: str | None, roles: RoleRegister
) -> str | None:
    """Return why a grant does not help a request that it is about, None when it does."""
    grant, actor = standing.grant, request.actor
    if grant.agency != actor.agency:
        return "是其他部门的授权 / is the grant of another agency"
    if not set(actor.roles) <= roles.roles.keys() or grant.role not in held_roles(roles, actor):
        return f"限角色 {grant.role} / is for that role"
    if standing.state is not GrantState.GIVEN:
        return ENDED[standing.state]
    if grant.case_name is not None and grant.case_name != case_name:
        return "限另一事项 / is for another case"
    if grant.area and not _within(actor, grant.area):
        return "限其他辖区 / is for another area"
    return None


def _within(actor: Actor, area: Sequence[str]) -> bool:
    return bool(actor.area) and all(
        any(code.startswith(wide) for wide in area) for code in actor.area
    )


def _widened(policy: Policy, fitting: Sequence[Grant], closed: frozenset[str]) -> Policy:
    """Return the policy with grants as rules, whose columns are all their purpose then needs."""
    sources = policy.sources
    purposes = dict(sources.purposes)
    needs: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    rules = []
    for grant in fitting:
        names = [name for name in grant.columns if name in closed]
        rules.append(rule_of(grant, names, case=purposes[grant.purpose].needs_case))
        for name in names:
            needs[grant.purpose][name] |= set(grant.columns[name])
    for code, datasets in needs.items():
        purposes[code] = _narrowed(purposes[code], datasets)
    register = PurposeRegister(tuple(purposes.values()))
    every = (*policy.rules, *rules)
    return Policy(
        replace(sources, purposes=register), sources.model_text, every, version=policy.version
    )


def _narrowed(purpose: Purpose, datasets: Mapping[str, set[str]]) -> Purpose:
    needs = {
        name: {c: need for c in sorted(columns) if (need := purpose.need(name, c)) is not None}
        for name, columns in datasets.items()
    }
    return replace(purpose, needs={**purpose.needs, **needs})
