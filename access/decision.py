"""The policy decision point: may I, what may I see, and why - from one gathering of rules.

`gather` asks Casbin how far each dataset is open, in the actor's area and elsewhere; everything
else (columns, row filter, obligations, reasons, the policy matrix, explanations) is derived from
that answer, so that the answers cannot drift apart. Decisions are kept per policy version and
request attributes; a new policy comes with a new `Decider`.

Source: XACML 3.0 (PDP, obligations); DESIGN §4 of the project's guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from access.admission import Refused, check_actor, held_roles, titles_of
from access.gathering import Gathered, Gathering
from access.masking import kind
from access.model import HIDDEN, Action, Actor, Decision, Request
from access.nearest import MENDABLE, MOST, Missed, Nearest
from access.policy import Policy
from access.purposes import Purpose
from access.rules import Rule
from access.view import Ceiling, View, compile_view, decide_fields, harden_for_minor
from hub.catalog import Catalog, Dataset

_CACHE_SIZE = 50_000
_APPLY = "请由本部门数据专员提出申请 / ask your department's data steward to apply for it"


@dataclass(slots=True)
class Plan:
    """A decision with its views compiled: what the guard applies to records."""

    decision: Decision
    own: View
    elsewhere: View | None
    datasets: Mapping[str, Dataset]
    withheld: frozenset[str]
    outside_lifts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    _minor: dict[bool, View] = field(default_factory=dict)

    def view(self, *, in_area: bool, minor: bool) -> View | None:
        """Return the view for a subject's records, None where nothing may be seen."""
        base = self.own if in_area else self.elsewhere
        if base is None or not minor:
            return base
        if in_area not in self._minor:
            fields = self.decision.fields if in_area else self.decision.elsewhere or {}
            lifts = self.decision.lifts if in_area else self.outside_lifts
            hardened = harden_for_minor(fields, self.datasets, lifts)
            self._minor[in_area] = compile_view(hardened)
        return self._minor[in_area]


class Decider:
    """Answers requests under one policy version and catalogue."""

    def __init__(self, policy: Policy, catalog: Catalog) -> None:
        self.policy = policy
        self.catalog = catalog
        self._nearest = Nearest(policy.rules, policy.roles)
        self._plans: dict[tuple[Any, ...], Plan] = {}
        self._gathered: dict[tuple[Any, ...], Gathered] = {}

    def decide(self, request: Request) -> Decision:
        """Return the decision on a request; a refusal is a decision too."""
        return self.plan(request).decision

    def plan(self, request: Request) -> Plan:
        """Return the decision on a request with its views compiled."""
        actor = request.actor
        key = (
            actor.roles, actor.agency, actor.area, actor.clearance, actor.active, request.action,
            request.datasets, request.purpose, request.case is not None and request.case != "",
        )  # fmt: skip
        plan = self._plans.get(key)
        if plan is None:
            plan = self._fresh(request)
            if len(self._plans) >= _CACHE_SIZE:
                self._plans.clear()
            self._plans[key] = plan
        return plan

    def gather(self, actor: Actor, dataset: Dataset, request: Request) -> Gathered:
        """Return how far the policy opens a dataset, asked once per kind of request."""
        case = "given" if request.case else "none"
        key = (actor.roles, actor.agency, request.action, request.purpose, case, dataset.name)
        found = self._gathered.get(key)
        if found is None:
            found = Gathering(self.policy, actor, dataset, request, case).result()
            if len(self._gathered) >= _CACHE_SIZE:
                self._gathered.clear()
            self._gathered[key] = found
        return found

    def _fresh(self, request: Request) -> Plan:
        try:
            return self._allowed(request)
        except Refused as refused:
            decision = Decision(
                allowed=False,
                reason=refused.reason,
                remedy=refused.remedy,
                action=request.action,
                purpose=request.purpose,
                datasets=request.datasets or (),
                policy_version=self.policy.version,
                obligations=("record_use",),
                **refused.more,
            )
            return Plan(decision, compile_view({}), None, {}, frozenset())

    def _allowed(self, request: Request) -> Plan:
        actor = request.actor
        check_actor(actor, self.policy.roles)
        purpose = self._purpose(request)
        gathered = self._gather_all(request, purpose)
        datasets = {name: self.catalog[name] for name in gathered}
        own = self._fields(request, purpose, {n: g.own for n, g in gathered.items()})
        outside = {n: g.elsewhere for n, g in gathered.items() if g.elsewhere.open}
        elsewhere = self._fields(request, purpose, outside) if outside else None
        if not actor.area:
            own = elsewhere or {}
        if all(treatment == HIDDEN for treatment in own.values()):
            reason = (
                f"{purpose.title}所需数据高于您的岗位可见的级别"
                " / what the purpose needs is above what your post may see of it"
            )
            raise Refused(reason, _APPLY, rules=_matched(gathered))
        decision = Decision(
            allowed=True,
            reason=_allowed_reason(request, purpose, gathered),
            reasons=tuple(_reasons(self.policy, gathered)),
            action=request.action,
            purpose=request.purpose,
            datasets=tuple(datasets),
            policy_version=self.policy.version,
            fields=own,
            elsewhere=elsewhere,
            row_filter=None if elsewhere is not None else actor.area,
            obligations=self._obligations(purpose, gathered),
            rules=_matched(gathered),
            lifts={n: (g.own if actor.area else g.elsewhere).lifts for n, g in gathered.items()},
        )
        outside_view = compile_view(elsewhere) if elsewhere is not None else None
        outside_lifts = {name: ceiling.lifts for name, ceiling in outside.items()}
        return Plan(
            decision, compile_view(own), outside_view, datasets, purpose.withheld, outside_lifts
        )

    def _purpose(self, request: Request) -> Purpose:
        purpose = self.policy.purposes.get(request.purpose)
        if purpose is None:
            known = ", ".join(sorted(self.policy.purposes))
            raise Refused(
                "该目的不在目的登记册中 / the purpose is not in the purpose register",
                f"可填写 / state one of: {known}",
            )
        held = held_roles(self.policy.roles, request.actor)
        if held.isdisjoint(purpose.roles):
            titles = ", ".join(titles_of(self.policy.roles, purpose.roles))
            reason = f"该目的仅限下列角色：{titles} / the purpose {purpose.title} is for these roles only"
            denial = self._denial(request, purpose)
            raise Refused(f"{denial.because}; {reason}" if denial else reason, _APPLY)
        if request.action not in purpose.actions:
            actions = ", ".join(purpose.actions)
            reason = f"{purpose.title}不用于此操作 / the purpose is for {actions}, not for {request.action}"
            raise Refused(
                reason, "请按该目的规定的方式查询 / ask in the way the purpose is meant for"
            )
        if purpose.case == "required" and not request.case:
            reason = f"{purpose.title}须填写事项编号 / the purpose needs a case reference"
            raise Refused(
                reason,
                "请填写正在办理的事项编号 / give the case reference of the case you are working on",
            )
        return purpose

    def _gather_all(self, request: Request, purpose: Purpose) -> dict[str, Gathered]:
        found: dict[str, Gathered] = {}
        refused: list[Dataset] = []
        for dataset in self._datasets(request, purpose):
            gathered = self.gather(request.actor, dataset, request)
            if gathered.own.open and (request.actor.area or gathered.elsewhere.open):
                found[dataset.name] = gathered
                continue
            refused.append(dataset)
            if request.datasets is not None:
                raise self._nothing_open(request, purpose, refused)
        if not found:
            raise self._nothing_open(request, purpose, refused)
        return found

    def _datasets(self, request: Request, purpose: Purpose) -> Iterator[Dataset]:
        if request.datasets is None:
            yield from (d for d in self.catalog.values() if purpose.covers(d.name))
            return
        if not request.datasets:
            raise Refused(
                "未指明数据集 / no dataset is named",
                "请指明，或不填数据集 / name one, or leave the datasets out",
            )
        for name in dict.fromkeys(request.datasets):
            if name not in self.catalog:
                raise Refused(
                    "所查数据集不在目录中 / a dataset asked for is not in the catalogue",
                    "请查看目录 / see the catalogue",
                )
            if not purpose.covers(name):
                title = self.catalog[name].title
                reason = f"{purpose.title}不需要{title} / the purpose does not need {name}"
                near, _ = self._near(request, (self.catalog[name],))
                remedy = f"请去掉 / leave out: {name}；或者{_APPLY}"
                raise Refused(reason, remedy, near_misses=near)
            yield self.catalog[name]

    def _fields(
        self, request: Request, purpose: Purpose, ceilings: Mapping[str, Ceiling]
    ) -> dict[str, str]:
        shown = ((self.catalog[name], ceiling) for name, ceiling in ceilings.items())
        return decide_fields(shown, purpose, request.action, request.actor.clearance)

    def _obligations(self, purpose: Purpose, gathered: Mapping[str, Gathered]) -> tuple[str, ...]:
        rules = [self.policy.by_id[name] for name in _matched(gathered)]
        words = {word for rule in rules if rule.allows for word in rule.obligations}
        caps = [int(w.partition("=")[2]) for w in words if w.startswith("list_cap=")]
        cells = [int(w.partition("=")[2]) for w in words if w.startswith("min_cell=")]
        plain = {word for word in words if "=" not in word} | {"record_use"}
        if purpose.case == "required" or any(r.allows and r.case == "required" for r in rules):
            plain.add("case_required")
        if purpose.notice_days:
            plain.add("notify_later")
        if caps:
            plain.add(f"list_cap={min(caps)}")
        if cells:
            plain.add(f"min_cell={max(cells)}")
        return tuple(sorted(plain))

    def _nothing_open(self, request: Request, purpose: Purpose, refused: list[Dataset]) -> Refused:
        """Every dataset asked for is closed: say why by the denial, the area, or near misses."""
        gathered = [self.gather(request.actor, dataset, request) for dataset in refused]
        rules = tuple(dict.fromkeys(name for g in gathered for name in g.rules))
        if any(g.own.open for g in gathered):
            reason = (
                "您的岗位没有登记辖区，只能查询本辖区"
                " / your post has no area of responsibility, and only its own area is open"
            )
            remedy = "请联系管理员登记辖区 / ask your administrator to enter it"
            return Refused(reason, remedy, rules=rules)
        near, remedy = self._near(request, refused)
        denials = [r for name in rules if not (r := self.policy.by_id[name]).allows]
        everything_denied = all(
            any(not self.policy.by_id[name].allows for name in g.rules) for g in gathered
        )
        what = refused[0].title if len(refused) == 1 else "所需数据"
        reason = (
            f"没有规则允许您的岗位为{purpose.title}查询{what}"
            f" / no rule lets your post {request.action} it for this purpose"
        )
        if everything_denied:
            reason = f"{what}: {denials[0].because}" if len(refused) == 1 else denials[0].because
            remedy = f"此项不予授权 / this is not granted；{_APPLY}"
        return Refused(reason, remedy, near_misses=near, rules=rules)

    def _denial(self, request: Request, purpose: Purpose) -> Rule | None:
        """Return a rule that denies the request whatever else is asked, or None."""
        for dataset in self.catalog.values():
            if purpose.covers(dataset.name):
                rules = self.gather(request.actor, dataset, request).rules
                return next((r for n in rules if not (r := self.policy.by_id[n]).allows), None)
        return None

    def _near(self, request: Request, datasets: Iterable[Dataset]) -> tuple[tuple[str, ...], str]:
        """Return what the request would have needed, the easiest first, and the remedy."""
        held = held_roles(self.policy.roles, request.actor)
        found: set[tuple[int, str]] = set()
        for dataset in datasets:
            missed = Missed(
                held=held,
                agency=request.actor.agency,
                action=request.action,
                purpose=request.purpose,
                has_case=bool(request.case),
                dataset=dataset,
            )
            found |= self._nearest.of(missed)
        nearest = sorted(found)[:MOST]
        remedy = nearest[0][1] if nearest and nearest[0][0] < MENDABLE else _APPLY
        return tuple(sentence for _, sentence in nearest), remedy


def _matched(gathered: Mapping[str, Gathered]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for g in gathered.values() for name in g.rules))


def _allowed_reason(request: Request, purpose: Purpose, gathered: Mapping[str, Gathered]) -> str:
    everywhere = any(g.elsewhere.open for g in gathered.values())
    if everywhere or request.action is Action.OWN:
        return f"允许：{purpose.title} / allowed for {purpose.code}"
    return f"允许：{purpose.title}，限本辖区 / allowed for {purpose.code}, in your own area"


def _reasons(policy: Policy, gathered: Mapping[str, Gathered]) -> Iterator[str]:
    for name in _matched(gathered):
        rule = policy.by_id[name]
        yield f"{rule.id} ({rule.effect}): {rule.because}"


def explain(decider: Decider, request: Request) -> dict[str, Any]:
    """Return a decision as JSON values a person can read.

    Returns:
        answer, reason, remedy, reasons, rules [{rule, effect, because}], near_misses,
        obligations, area, purpose {...}, and fields per dataset: {column: {title, treatment,
        how, elsewhere}}, hidden ones left out and counted.
    """
    decision = decider.decide(request)
    purpose = decider.policy.purposes.get(request.purpose)
    return {
        "answer": "allowed" if decision.allowed else "refused",
        "reason": decision.reason,
        "remedy": decision.remedy,
        "reasons": list(decision.reasons),
        "rules": [_rule_row(decider.policy, name) for name in decision.rules],
        "near_misses": list(decision.near_misses),
        "obligations": list(decision.obligations),
        "area": "any" if decision.row_filter is None else list(decision.row_filter),
        "purpose": _purpose_row(purpose) if purpose else {"code": request.purpose},
        "fields": {name: _field_rows(decider, decision, name) for name in decision.datasets}
        if decision.allowed
        else {},
        "policy_version": decision.policy_version,
    }


def _rule_row(policy: Policy, name: str) -> dict[str, str]:
    rule = policy.by_id[name]
    return {"rule": rule.id, "effect": rule.effect, "because": rule.because}


def _purpose_row(purpose: Purpose) -> dict[str, Any]:
    return {
        "code": purpose.code,
        "title": purpose.title,
        "plain": purpose.plain,
        "legal_basis": purpose.legal_basis,
        "basis_verified": purpose.basis_verified,
        "case": purpose.case,
    }


def _field_rows(decider: Decider, decision: Decision, name: str) -> dict[str, Any]:
    dataset = decider.catalog[name]
    titles = {c.name: c.title for c in dataset.columns}
    rows: dict[str, Any] = {}
    hidden = 0
    for key, treatment in decision.fields.items():
        owner, _, column = key.rpartition(".")
        if owner != name:
            continue
        if treatment == HIDDEN:
            hidden += 1
            continue
        outside = (decision.elsewhere or {}).get(key, HIDDEN)
        rows[column] = {
            "title": titles.get(column, column),
            "treatment": treatment,
            "how": kind(treatment),
            "elsewhere": outside,
        }
    return {"shown": rows, "hidden": hidden}
