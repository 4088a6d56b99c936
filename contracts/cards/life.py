"""Where a card stands and which acts that permits; pure.

issued → acknowledged → remedied, or appealed (granted: closed; refused: stands), or waived (until a
day; then it stands again) → closed. The card's own department acknowledges, appeals and asks; only
named deciders decide, never what they asked for themselves nor what their own department asked for;
either closes. What is not possible is refused with the reason, as a value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from contracts.cards.rules import CardRules
from hub.calendar import day_of
from hub.store.cards import Act, ActKind


class Colour(StrEnum):
    """How bad it is."""

    YELLOW = "yellow"
    RED = "red"


class State(StrEnum):
    """Where a card stands in its life."""

    ISSUED = "issued"
    ACKNOWLEDGED = "acknowledged"
    APPEALED = "appealed"
    WAIVER_REQUESTED = "waiver_requested"
    WAIVED = "waived"
    REMEDIED = "remedied"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything about a card that its next step depends on.

    Args:
        appealed_by: who has appealed; once in a card's life.
        revoked: its appeal was granted: it should never have been issued.
        asked_by: who has asked for the waiver that is undecided, with `asked_until`.
        waived_until: last day of the waiver that holds.
        escalation_due: it would be red, but for the appeal or waiver.
        closing_due: it would be closed, but for the appeal.
    """

    colour: Colour
    acknowledged: bool = False
    appealed_by: str | None = None
    appeal_open: bool = False
    revoked: bool = False
    asked_by: str | None = None
    asked_until: date | None = None
    waived_until: date | None = None
    remedied_at: datetime | None = None
    closed_at: datetime | None = None
    escalation_due: bool = False
    closing_due: bool = False

    @property
    def state(self) -> State:
        """The one word for it."""
        for state, holds in (
            (State.CLOSED, self.closed_at is not None),
            (State.APPEALED, self.appeal_open),
            (State.REMEDIED, self.remedied_at is not None),
            (State.WAIVED, self.waived_until is not None),
            (State.WAIVER_REQUESTED, self.asked_by is not None),
            (State.ACKNOWLEDGED, self.acknowledged),
        ):
            if holds:
                return state
        return State.ISSUED

    @property
    def is_suspended(self) -> bool:
        """Say whether an undecided appeal or a waiver keeps it from turning red."""
        return self.appeal_open or self.waived_until is not None


@dataclass(frozen=True, slots=True)
class Side:
    """Whose card it is: codes of the departments, and the stewards that its contract names."""

    departments: tuple[str, ...] = ()
    stewards: tuple[str, ...] = ()

    def has(self, account: str) -> bool:
        """Say whether an account is theirs: listed, or named after the department.

        >>> Side(("housing",)).has("housing.deputy"), Side(("housing",)).has("bureau.steward")
        (True, False)
        """
        return account in self.stewards or account.partition(".")[0] in self.departments


def refusal(standing: Standing, act: Act, rules: CardRules, own: Side = Side()) -> str | None:
    """Return why a card's standing does not permit an act now, or None when it does.

    Args:
        own: whose card it is; they decide nothing about it.
    """
    if standing.closed_at is not None:
        return "黄红牌已关闭。 / The card is closed."
    if act.kind is ActKind.WAIVE:
        return _no_waiver(standing, act, rules)
    if act.kind is ActKind.DECIDE:
        return _no_decision(standing, act, own)
    if act.kind is ActKind.ACKNOWLEDGE:
        return _no_acknowledging(standing)
    return _no_appeal(standing) if act.kind is ActKind.APPEAL else _no_closing(standing)


def not_entitled(act: Act, rules: CardRules, own: Side) -> str | None:
    """Return why somebody may not do such a thing about a card at all, or None.

    Asked when the act is recorded and never again: what a decider decided stands when they leave.

    Args:
        own: whose card it is.
    """
    is_decider = act.by in rules.deciders
    if act.kind is ActKind.DECIDE:
        return None if is_decider else _NO_DECIDER
    if own.has(act.by) or (act.kind is ActKind.CLOSE and is_decider):
        return None
    return _NOT_CLOSING if act.kind is ActKind.CLOSE else _NOT_OWN


_NO_DECIDER = (
    "只有名单上的决定人可以决定（cards.toml 的 life.deciders）。 / "
    "Only a decider named in cards.toml (life.deciders) decides."
)
_NOT_OWN = (
    "只有这张牌所属的部门可以签收、申诉和申请豁免。 / "
    "Only the card's own department acknowledges, appeals and asks for a waiver."
)
_NOT_CLOSING = "只有这张牌所属的部门或决定人可以关闭。 / Only the card's own department or a decider closes it."


def applied(standing: Standing, act: Act) -> Standing:
    """Return where a card stands after an act that `refusal` has let through."""
    if act.kind is ActKind.ACKNOWLEDGE:
        return replace(standing, acknowledged=True)
    if act.kind is ActKind.APPEAL:
        return replace(standing, acknowledged=True, appealed_by=act.by, appeal_open=True)
    if act.kind is ActKind.WAIVE:
        return replace(standing, acknowledged=True, asked_by=act.by, asked_until=act.until)
    if act.kind is ActKind.CLOSE:
        return replace(standing, closed_at=act.at)
    if standing.appeal_open:
        granted = bool(act.granted)
        closed = act.at if granted or standing.closing_due else None
        return replace(standing, appeal_open=False, revoked=granted, closed_at=closed)
    until = standing.asked_until if act.granted else None
    return replace(standing, asked_by=None, asked_until=None, waived_until=until)


def _no_acknowledging(standing: Standing) -> str | None:
    if standing.state is State.ISSUED:
        return None
    return "只有刚发出的牌可以签收。 / Only a card that was just issued is acknowledged."


def _no_appeal(standing: Standing) -> str | None:
    if standing.appealed_by is not None:
        return "每张牌只能申诉一次。 / A card is appealed once."
    if standing.state in (State.ISSUED, State.ACKNOWLEDGED):
        return None
    return "已整改、已豁免或正在申请豁免的牌不能申诉。 / A card that is remedied or waived, or whose waiver is undecided, is not appealed."


def _no_waiver(standing: Standing, act: Act, rules: CardRules) -> str | None:
    if standing.state not in (State.ISSUED, State.ACKNOWLEDGED):
        return "只有未整改、无申诉和豁免的牌可以申请豁免。 / A waiver is asked for a card that stands, without appeal or waiver."
    today = day_of(act.at)
    latest = today + timedelta(days=rules.waiver_at_most_days)
    if act.until is None or not today <= act.until <= latest:
        return f"豁免截止日须在 {today} 至 {latest} 之间。 / A waiver ends between {today} and {latest}."
    return None


def _no_decision(standing: Standing, act: Act, own: Side) -> str | None:
    asker = standing.appealed_by if standing.appeal_open else standing.asked_by
    if asker is None:
        return "没有待决定的申诉或豁免申请。 / There is no undecided appeal or waiver."
    if act.granted is None:
        return "请说明同意或不同意。 / Say whether it is granted or refused."
    if act.by == asker:
        return "申请人不能决定自己的申请。 / Who asked does not decide."
    if own.has(act.by):
        return "本部门人员不能决定本部门的申请。 / A department does not decide what it asked for."
    late = not standing.appeal_open and act.granted and standing.asked_until is not None
    if late and standing.asked_until and day_of(act.at) > standing.asked_until:
        return "申请的豁免期已过。 / The time asked for is over."
    return None


def _no_closing(standing: Standing) -> str | None:
    if standing.state is State.REMEDIED:
        return None
    return "只有已整改的牌可以关闭。 / Only a remedied card is closed."
