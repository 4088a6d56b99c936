"""Usage records as the Data Tracker (Andmejälgija) of Estonia's state portal reads them.

The portal asks each registry for the uses of one person's data and shows them as they come. Its
record is short: when, why, by whom, in which system. What was refused was no use, and is left out.

Source: e-gov/AJ, kasutusteabe esitamise protokoll 1.6, dumonitor-openapi.yaml 2.1.0 (MIT).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from access.exports.source import SYSTEM, Source
from access.usage_record import SubjectRole, UsageAction, UsageRecord
from hub.clock import stamp_of

#: Most records of one answer, where the question does not say fewer.
LIMIT = 1000

_WORDS: Mapping[UsageAction, str] = {
    UsageAction.BULK: "批量提供 / bulk disclosure",
    UsageAction.COUNTED: "统计 / counted",
    UsageAction.EMERGENCY: "紧急访问 / emergency access",
    UsageAction.EXPORTED: "导出 / exported",
    UsageAction.LISTED: "在查询结果中列出 / listed",
    UsageAction.OPENED: "查看 / viewed",
    UsageAction.OWN: "本人查看 / viewed by oneself",
    UsageAction.UNMASKED: "解除遮盖查看 / viewed unmasked",
}


def is_usage(use: UsageRecord) -> bool:
    """Say whether a record is of data that was used."""
    return use.action is not UsageAction.REFUSED


def usage(use: UsageRecord, source: Source) -> dict[str, Any]:
    """Return one `Usage`; `use` is one of which something was shown."""
    titles = source.titles
    datasets = "、".join(titles.dataset(name) for name in use.datasets)
    beside = "（作为他人记录的相关方 / as another party of a record）"
    return {
        "logtime": stamp_of(use.time),
        "action": f"{titles.purpose(use.purpose)}：{_WORDS[use.action]} {datasets}".rstrip()
        + (beside if use.role is SubjectRole.INCIDENTAL else ""),
        "receiverCode": use.actor.agency,
        "receiverName": titles.agency(use.actor.agency),
        "receiverSystem": SYSTEM,
    }


def response(total: int, usages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a `FindUsageResponse`.

    Args:
        total: how many there are, whatever part of them is given.
        usages: newest first.
    """
    return {"totalUsages": total, "usages": list(usages)}
