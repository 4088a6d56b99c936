"""The policy decision point: may I, what may I see, and why - from one gathering of rules.

`gather` asks Casbin how far each dataset is open, in the actor's area and elsewhere; everything
else (columns, row filter, obligations, reasons, the policy matrix, explanations) is derived from
that answer, so that the answers cannot drift apart. Decisions are kept per policy version and
request attributes; a new policy comes with a new `Decider`.

Source: XACML 3.0 (PDP, obligations); 个人信息保护法 5-6 (purpose limitation, minimum scope).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta

from access.admission import Refused, check_actor, held_roles, titles_of
from access.cases import refusal
from access.gathering import Gathered, Gathering
from access.kept import Kept
from access.masking import AGE_BAND, Names, masks_of
from access.model import HIDDEN, Action, CaseStanding, Decision, Fields, Request, Trait
from access.plan import Plan
from access.policy import Policy
from access.purposes import Purpose
from access.refusing import APPLY, Refusals
from access.view import Ceiling, compile_view, decide_fields
from hub.catalog import Catalog, Dataset


class Decider:
    """Answers requests under one policy version and catalogue.

    Args:
        names: keyed names for recipients; without it no pseudonym is shown.
    """

    def __init__(self, policy: Policy, catalog: Catalog, names: Names | None = None) -> None:
        self.policy = policy
        self.catalog = catalog
        self._names = names
        self._refusals = Refusals(policy, catalog, self.gather)
        self._plans: Kept[Plan] = Kept()
        self._gathered: Kept[Gathered] = Kept()

    def under(self, policy: Policy) -> Decider:
        """Return what decides under another policy over the same catalogue and names."""
        return Decider(policy, self.catalog, self._names)

    def decide(self, request: Request) -> Decision:
        """Return the decision on a request; a refusal is a decision too."""
        return self.plan(request).decision

    def plan(self, request: Request) -> Plan:
        """Return the decision on a request with its views compiled."""
        actor = request.actor
        key = (
            actor.roles, actor.agency, actor.area, actor.clearance, actor.active, request.action,
            request.datasets, request.purpose, request.case is not None, request.standing,
            request.columns,
        )  # fmt: skip
        plan = self._plans.get(key, request.at)
        if plan is None:
            plan = self._fresh(request)
            self._plans.put(key, plan, plan.decision.until)
        return plan

    def gather(self, request: Request, dataset: Dataset) -> Gathered:
        """Return how far the policy opens a dataset, asked once per kind of request."""
        actor = request.actor
        case = "given" if request.case else "none"
        key = (actor.roles, actor.agency, request.action, request.purpose, case, dataset.name)
        found = self._gathered.get(key, request.at)
        if found is None:
            found = Gathering(self.policy, actor, dataset, request, case).result()
            self._gathered.put(key, found)
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
            return Plan(decision, compile_view({}))

    def _allowed(self, request: Request) -> Plan:
        actor = request.actor
        check_actor(actor, self.policy.roles)
        purpose = self._purpose(request)
        if request.columns is not None:
            purpose = purpose.only(request.columns)
        gathered = self._gather_all(request, purpose)
        datasets = {name: self.catalog[name] for name in gathered}

        def fields_of(traits: frozenset[Trait]) -> tuple[Fields, Fields]:
            return self._fields(request, purpose, {n: g.under(traits) for n, g in gathered.items()})

        own, outside = fields_of(frozenset())
        elsewhere = outside or None
        since = _since(purpose, request.at)
        masks = masks_of(request.at.date(), actor.agency, purpose.code, self._names)
        if all(treatment == HIDDEN for treatment in own.values()):
            reason = (
                f"{purpose.title}所需数据高于您的岗位可见的级别"
                " / what the purpose needs is above what your post may see of it"
            )
            raise Refused(reason, APPLY, rules=_matched(gathered))
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
            until=_until(request.at, since, (*own.values(), *outside.values())),
            since=since,
        )
        return Plan(
            decision=decision,
            own=compile_view(own, masks),
            elsewhere=compile_view(elsewhere, masks) if elsewhere is not None else None,
            datasets=datasets,
            withheld=purpose.withheld,
            outside_lifts={n: g.elsewhere.lifts for n, g in gathered.items() if g.elsewhere.open},
            fields_of=fields_of,
            masks=masks,
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
            denial = self._refusals.denial(request, purpose)
            raise Refused(f"{denial.because}; {reason}" if denial else reason, APPLY)
        if request.action not in purpose.actions:
            actions = ", ".join(purpose.actions)
            reason = f"{purpose.title}不用于此操作 / the purpose is for {actions}, not for {request.action}"
            raise Refused(
                reason, "请按该目的规定的方式查询 / ask in the way the purpose is meant for"
            )
        if purpose.needs_case and not request.case:
            reason = f"{purpose.title}须填写事项编号 / the purpose needs a case reference"
            raise Refused(
                reason,
                "请填写正在办理的事项编号 / give the case reference of the case you are working on",
            )
        if purpose.goes_by_register and request.standing is not CaseStanding.OPEN:
            raise Refused(*refusal(purpose, request.standing))
        return purpose

    def _gather_all(self, request: Request, purpose: Purpose) -> dict[str, Gathered]:
        found: dict[str, Gathered] = {}
        refused: list[Dataset] = []
        for dataset in self._datasets(request, purpose):
            gathered = self.gather(request, dataset)
            if gathered.own.open and (request.actor.area or gathered.elsewhere.open):
                found[dataset.name] = gathered
                continue
            refused.append(dataset)
            if request.datasets is not None:
                raise self._refusals.nothing_open(request, purpose, refused)
        if not found:
            raise self._refusals.nothing_open(request, purpose, refused)
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
                raise self._refusals.unneeded(request, purpose, self.catalog[name])
            yield self.catalog[name]

    def _fields(
        self, request: Request, purpose: Purpose, gathered: Mapping[str, Gathered]
    ) -> tuple[Fields, Fields]:
        """Return the fields inside the actor's area and outside; with no area all is outside."""

        def decided(ceilings: Mapping[str, Ceiling]) -> Fields:
            shown = ((self.catalog[name], ceiling) for name, ceiling in ceilings.items())
            return decide_fields(shown, purpose, request.action, request.actor.clearance)

        outside = {n: g.elsewhere for n, g in gathered.items() if g.elsewhere.open}
        elsewhere = decided(outside) if outside else {}
        if not request.actor.area:
            return elsewhere, elsewhere
        return decided({n: g.own for n, g in gathered.items()}), elsewhere

    def _obligations(self, purpose: Purpose, gathered: Mapping[str, Gathered]) -> tuple[str, ...]:
        rules = [self.policy.by_id[name] for name in _matched(gathered)]
        words = {word for rule in rules if rule.allows for word in rule.obligations}
        caps = [int(w.partition("=")[2]) for w in words if w.startswith("list_cap=")]
        cells = [int(w.partition("=")[2]) for w in words if w.startswith("min_cell=")]
        plain = {word for word in words if "=" not in word} | {"record_use"}
        if purpose.needs_case or any(r.allows and r.case == "required" for r in rules):
            plain.add("case_required")
        reviews = [int(w.partition("=")[2]) for w in words if w.startswith("review=")]
        if reviews:
            plain.add(f"review={min(reviews)}")
        if caps:
            plain.add(f"list_cap={min(caps)}")
        if cells:
            plain.add(f"min_cell={max(cells)}")
        return tuple(sorted(plain))


def _matched(gathered: Mapping[str, Gathered]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for g in gathered.values() for name in g.rules))


def _since(purpose: Purpose, at: datetime) -> date | None:
    """Return the first day of which events are shown."""
    return None if purpose.back_days is None else at.date() - timedelta(days=purpose.back_days)


def _until(at: datetime, since: date | None, treatments: tuple[str, ...]) -> datetime | None:
    """Return when a decision ends by itself: at midnight, where something in it is of the day."""
    if since is None and AGE_BAND not in treatments:
        return None
    return datetime.combine(at.date() + timedelta(days=1), time(), UTC)


def _allowed_reason(request: Request, purpose: Purpose, gathered: Mapping[str, Gathered]) -> str:
    everywhere = any(g.elsewhere.open for g in gathered.values())
    if everywhere or request.action is Action.OWN:
        return f"允许：{purpose.title} / allowed for {purpose.code}"
    return f"允许：{purpose.title}，限本辖区 / allowed for {purpose.code}, in your own area"


def _reasons(policy: Policy, gathered: Mapping[str, Gathered]) -> Iterator[str]:
    for name in _matched(gathered):
        rule = policy.by_id[name]
        yield f"{rule.id} ({rule.effect}): {rule.because}"
