"""Templates to answers: one environment, one function, and the filters templates may use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from api.dependencies import session_of
from api.people import NOTICE
from api.tokens import Session
from hub.errors import HubError

FOLDER = Path(__file__).parent
LOOK_COOKIE = "mingjing_look"
LOOKS = ("normal", "large", "contrast")

_BEIJING = timezone(timedelta(hours=8))


def page(
    request: Request,
    template: str,
    context: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Return a rendered page, with who has signed in and how the reader wants it to look."""
    services = request.app.state.services
    look = request.cookies.get(LOOK_COOKIE, LOOKS[0])
    common = {
        "path": request.url.path,
        "look": look if look in LOOKS else LOOKS[0],
        "who": _who(request),
        "demonstration": services.settings.profile == "demonstration",
        "notice": NOTICE,
    }
    body = environment().get_template(template).render({**common, **context})
    return HTMLResponse(body, status, dict(headers or {}))


def _who(request: Request) -> Session | None:
    """Return who has signed in, None also where that cannot be known: a page of a problem is shown."""
    try:
        return session_of(request)
    except HubError:
        return None


@cache
def environment() -> Environment:
    """Return the one template environment; an undefined name is an error, all text is escaped."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"moment": moment, "number": number, "percent": percent, "shown": shown}
    made.globals |= {
        "CONCLUSIONS": CONCLUSIONS,
        "EVIDENCE": EVIDENCE,
        "EMERGENCY_STEPS": EMERGENCY_STEPS,
        "HOW": _HOW,
        "ROADS": ROADS,
        "ITEM_STATES": ITEM_STATES,
        "TREATMENTS": TREATMENTS,
    }
    return made


def moment(value: datetime | str | None) -> str:
    """Return a time as people of the district read it: Beijing time, to the minute.

    >>> moment("2026-06-05T01:02:03Z"), moment("2026-06-05"), moment(None)
    ('2026-06-05 09:02', '2026-06-05', '—')
    """
    if value is None or value == "":
        return "—"
    when = value if isinstance(value, datetime) else _parsed(value)
    if when is None:
        return str(value)
    return when.astimezone(_BEIJING).strftime("%Y-%m-%d %H:%M")


def _parsed(text: str) -> datetime | None:
    """Return the instant a text names, or None when it is a day or anything else."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo else None


def number(value: float | None) -> str:
    """Return a count with thousands apart, a dash for none.

    >>> number(120000), number(None)
    ('120,000', '—')
    """
    return "—" if value is None else f"{value:,}"


def percent(value: float | None) -> str:
    """Return a percentage, two digits, never rounded up to a target it did not reach.

    >>> percent(98.999), percent(None)
    ('98.99 %', '—')
    """
    return "—" if value is None else f"{int(value * 100) / 100:.2f} %"


def shown(cell: Mapping[str, Any]) -> str:
    """Return the text of a cell: label before code, words for yes and no, a dash for nothing.

    >>> shown({"value": "1", "label": "男"}), shown({"value": None, "label": None})
    ('男（1）', '—')
    """
    value = cell["value"]
    if value is None or value == "":
        return "—"
    if cell["label"]:
        return f"{cell['label']}（{value}）"
    if isinstance(value, bool):
        return "是" if value else "否"
    return str(value)


#: Treatment -> what it leaves, in words; a treatment that is not here is told by its kind alone.
TREATMENTS: Mapping[str, str] = {
    "address_community": "只到社区",
    "bank_last_4": "只有末 4 位",
    "email": "首字符和域名",
    "full": "全部遮盖",
    "generalised_age_band": "只有年龄段",
    "generalised_month": "只有年月",
    "generalised_year": "只有年份",
    "id_1_1": "只有首末各 1 位",
    "id_6_4": "只有前 6 位和后 4 位",
    "name": "只有姓",
    "phone_2": "只有末 2 位",
    "phone_3_4": "只有前 3 位和后 4 位",
    "plate": "只有前 3 位和末位",
    "pseudonym": "本部门此项用途专用的代号",
}

#: By what question a person was shown -> what was done, Chinese and English.
ROADS: Mapping[str, tuple[str, str]] = {
    "export": ("批量导出了", "Exported with many others."),
    "list": ("在名单中列出了", "Shown in a list."),
    "lookup": ("查看了", "You were looked up."),
    "reconcile": ("在部门数据核对清单中导出了", "Handed to a department in its list of conflicts."),
    "sample": ("抽样实地核查，导出了", "Drawn in a sample to be checked in the field."),
    "search": ("在查询结果中列出了", "Shown in the result of a search."),
    "unmask": ("完整查看了", "Shown in clear where it is masked for others."),
}

#: How a value is shown -> sign, Chinese, English. Never colour alone.
_HOW: Mapping[str, tuple[str, str, str]] = {
    "clear": ("●", "原值", "in clear"),
    "masked": ("◐", "部分遮盖", "masked"),
    "generalised": ("○", "概括", "generalised"),
}

#: Evidence of a card -> what it is called.
EVIDENCE: Mapping[str, str] = {
    "reason": "原因 / reason",
    "rows": "行数 / rows",
    "quarantined": "退回行数 / rows in quarantine",
    "key_accuracy_percent": "关键字段准确率 / key fields right",
    "overall_percent": "整行合格率 / rows accepted",
    "feedback_at": "反馈日期 / feedback was there",
    "cycle_working_days": "周期工作日数 / working days of the period",
    "yellow_after": "逾期多少工作日为黄牌 / working days overdue until yellow",
    "red_after": "逾期多少工作日为红牌 / working days overdue until red",
}

#: Step of a lifted mask or emergency -> what it is called.
EMERGENCY_STEPS: Mapping[str, str] = {
    "approved": "批准 / approved",
    "declined": "不批准 / declined",
    "escalated": "逾期未复核，暂停查询 / overdue, blocked",
    "justified": "复核：正当 / reviewed: justified",
    "not_justified": "复核：不正当 / reviewed: not justified",
    "opened": "开始 / opened",
    "released": "提供 / released",
    "requested": "申请 / asked",
    "used": "查看一人 / a person shown",
}

#: State of a worklist item -> what it is called.
ITEM_STATES: Mapping[str, str] = {
    "open": "待核对 / open",
    "in_review": "核对中 / in review",
    "explained": "已说明 / explained",
    "resolved": "已解决 / resolved",
    "reopened": "再次出现 / reopened",
}

#: Conclusion of a worklist answer -> what it is called.
CONCLUSIONS: Mapping[str, str] = {
    "own_wrong": "本方有误",
    "other_wrong": "对方有误",
    "both_right": "均正确",
    "unverifiable": "无法核实",
    "disputed": "双方各执一词",
    "gone": "已解决或已转出",
}
