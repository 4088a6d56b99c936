"""Why nothing is open: the denial, the missing area, or what the request would have needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from access.admission import Refused, held_roles
from access.gathering import Gathered
from access.model import Action, Request
from access.nearest import MENDABLE, MOST, Missed, Nearest
from access.policy import Policy
from access.purposes import Purpose
from access.rules import Rule
from hub.catalog import Catalog, Dataset

APPLY = "请由本部门数据专员提出申请 / ask your department's data steward to apply for it"

Gather = Callable[[Request, Dataset], Gathered]


class Refusals:
    """Finds the reason and the remedy of a refusal under one policy and catalogue."""

    def __init__(self, policy: Policy, catalog: Catalog, gather: Gather) -> None:
        self._policy = policy
        self._catalog = catalog
        self._gather = gather
        self._nearest = Nearest(policy.index, policy.roles)

    def nothing_open(self, request: Request, purpose: Purpose, closed: list[Dataset]) -> Refused:
        """Every dataset asked for is closed: say why by the denial, the area, or near misses."""
        gathered = [self._gather(request, dataset) for dataset in closed]
        rules = tuple(dict.fromkeys(name for g in gathered for name in g.rules))
        if any(g.own.open for g in gathered):
            reason = (
                "您的岗位没有登记辖区，只能查询本辖区"
                " / your post has no area of responsibility, and only its own area is open"
            )
            remedy = "请联系管理员登记辖区 / ask your administrator to enter it"
            return Refused(reason, remedy, rules=rules)
        near, remedy = self._near(request, closed)
        denials = [r for name in rules if not (r := self._policy.by_id[name]).allows]
        everything_denied = all(
            any(not self._policy.by_id[name].allows for name in g.rules) for g in gathered
        )
        what = closed[0].title if len(closed) == 1 else "所需数据"
        reason = (
            f"没有规则允许您的岗位为{purpose.title}查询{what}"
            f" / no rule lets your post {request.action} it for this purpose"
        )
        if request.action is Action.EXPORT:
            reason = (
                f"{what}: 文件须经批准的授权方可提供"
                " / files of persons leave only under an approved grant"
            )
        if everything_denied:
            reason = f"{what}: {denials[0].because}" if len(closed) == 1 else denials[0].because
            remedy = f"此项不予授权 / this is not granted；{APPLY}"
        return Refused(reason, remedy, near_misses=near, rules=rules)

    def unneeded(self, request: Request, purpose: Purpose, dataset: Dataset) -> Refused:
        """Say that the purpose needs nothing of a dataset that is asked for."""
        name = dataset.name
        reason = f"{purpose.title}不需要{dataset.title} / the purpose does not need {name}"
        near, _ = self._near(request, (dataset,))
        return Refused(reason, f"请去掉 / leave out: {name}；或者{APPLY}", near_misses=near)

    def denial(self, request: Request, purpose: Purpose) -> Rule | None:
        """Return a rule that denies the request whatever else is asked, or None."""
        for dataset in self._catalog.values():
            if purpose.covers(dataset.name):
                rules = self._gather(request, dataset).rules
                return next((r for n in rules if not (r := self._policy.by_id[n]).allows), None)
        return None

    def _near(self, request: Request, datasets: Iterable[Dataset]) -> tuple[tuple[str, ...], str]:
        """Return what the request would have needed, the easiest first, and the remedy."""
        held = held_roles(self._policy.roles, request.actor)
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
            found.update(self._nearest.of(missed))
        nearest = sorted(found)[:MOST]
        remedy = nearest[0][1] if nearest and nearest[0][0] < MENDABLE else APPLY
        return tuple(sentence for _, sentence in nearest), remedy
