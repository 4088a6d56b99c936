"""What a card says to people: titles of kinds, colours and states, what to do and by when."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.cards.causes import CardKind
from contracts.cards.deriving import Card, StepKind
from contracts.cards.life import Colour, State

KIND_TITLES: Mapping[CardKind, str] = {
    CardKind.BELOW_MARK: "数据质量不达标 / below the mark",
    CardKind.OVERDUE_DELIVERY: "逾期未报送 / delivery overdue",
    CardKind.OVERDUE_CORRECTION: "逾期未更正 / correction overdue",
    CardKind.CONTRACT_BROKEN: "报送文件不符合契约 / contract broken",
}
COLOUR_TITLES: Mapping[Colour, str] = {
    Colour.YELLOW: "黄牌 / yellow",
    Colour.RED: "红牌 / red",
}
STATE_TITLES: Mapping[State, str] = {
    State.ISSUED: "已发出 / issued",
    State.ACKNOWLEDGED: "已签收 / acknowledged",
    State.APPEALED: "申诉中 / appealed",
    State.WAIVER_REQUESTED: "申请豁免中 / waiver requested",
    State.WAIVED: "已豁免 / waived",
    State.REMEDIED: "已整改 / remedied",
    State.CLOSED: "已关闭 / closed",
}
STEP_TITLES: Mapping[StepKind, str] = {
    StepKind.ISSUED: "发出 / issued",
    StepKind.ESCALATED: "升级为红牌 / turned red",
    StepKind.ACKNOWLEDGED: "签收 / acknowledged",
    StepKind.APPEALED: "申诉 / appealed",
    StepKind.APPEAL_DECIDED: "申诉决定 / appeal decided",
    StepKind.WAIVER_REQUESTED: "申请豁免 / waiver requested",
    StepKind.WAIVER_DECIDED: "豁免决定 / waiver decided",
    StepKind.WAIVER_EXPIRED: "豁免到期，牌恢复 / waiver over, the card stands again",
    StepKind.REMEDIED: "整改完成 / remedied",
    StepKind.CLOSED: "关闭 / closed",
}
CAUSE_TITLES: Mapping[str, str] = {
    "": "",
    "twice": "规定时间内第二张黄牌 / second yellow card in time",
    "overdue": "逾期超过一个周期 / overdue by more than a cycle",
    "unremedied": "限期内未整改 / not remedied in time",
    "batch": "后续报送 / a later delivery",
    "time": "到期自动 / by itself, in time",
    "appeal": "申诉成立 / appeal granted",
}
_REMEDIES: Mapping[CardKind, str] = {
    CardKind.BELOW_MARK: (
        "请按反馈文件更正后重新报送达标的一批 / mend the rows in the feedback file and "
        "deliver a batch that reaches the mark"
    ),
    CardKind.OVERDUE_DELIVERY: "请立即报送该期数据 / deliver this period's data",
    CardKind.OVERDUE_CORRECTION: (
        "请按反馈文件核实更正并重新报送 / correct the rows in the feedback file and deliver again"
    ),
    CardKind.CONTRACT_BROKEN: (
        "请按原因修改文件后重新报送 / mend the file as the reason says and deliver it again"
    ),
}


def what_to_do(card: Card) -> str:
    """Return what the card asks for now, and by when."""
    by = card.cause.remedy_by.isoformat()
    state = card.state
    if state is State.CLOSED:
        return "无需处理。 / Nothing to do."
    if state is State.REMEDIED:
        return "已整改，待关闭。 / Remedied; it closes by itself, or close it."
    if state is State.APPEALED:
        return "等待数据局决定申诉。 / The data bureau decides the appeal."
    if state is State.WAIVED:
        until = card.standing.waived_until
        return f"豁免至 {until}，到期后恢复。 / Waived until {until}; then it stands again."
    ask = _REMEDIES[card.cause.kind]
    if card.colour is Colour.YELLOW:
        return f"{ask}；{by} 前未整改将升级为红牌。 / By {by}, or it turns red."
    return f"{ask}；限期 {by}。 / By {by}."
