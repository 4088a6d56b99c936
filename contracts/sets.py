"""Rules about several rows at once: one head per household, and how fresh a batch is; as SQL.

They read the table the scan leaves, so the scan itself pays nothing for them.

Source: GB/T 4761 (relations in a household); GB/T 36344-2018 0502 (timeliness at a point in time).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.frame import CHECKED, Frame
from contracts.model import Contract, Threshold
from hub.quoting import identifier, literals

ACCEPTED = "accepted"
CYCLE_DAYS = {
    "realtime": 1,
    "daily": 1,
    "weekly": 7,
    "monthly": 31,
    "quarterly": 92,
    "yearly": 366,
}


def rows_without_one_head(frame: Frame, arguments: Mapping[str, Any]) -> str:
    """Return the SELECT of the rowids of households without exactly one head.

    Heads are counted as records, not as rows: one that stands in the file twice is one head. A
    household without head is not judged while any of its relations is missing.
    """
    household, relation = identifier(arguments["household"]), identifier(arguments["relation"])
    head = f"CAST({relation} AS VARCHAR) IN ({literals(arguments['heads'])})"
    key = ", ".join(map(identifier, frame.contract.key)) or "rowid"
    heads = f"count(DISTINCT row({key})) FILTER (WHERE {head})"
    suspects = (
        f"SELECT {household} FROM {CHECKED} WHERE {household} IS NOT NULL GROUP BY {household} "
        f"HAVING count(*) FILTER (WHERE {head}) <> 1"
    )
    wrong = (
        f"SELECT {household} FROM {CHECKED} WHERE {household} IN ({suspects}) GROUP BY {household} "
        f"HAVING {heads} > 1 OR ({heads} = 0 AND count(*) = count({relation}))"
    )
    return f"SELECT rowid FROM {CHECKED} WHERE {relation} IS NOT NULL AND {household} IN ({wrong})"


def age_of_newest(frame: Frame, arguments: Mapping[str, Any]) -> str:
    """Return the SELECT of the days from the newest accepted date to the day of delivery.

    Only accepted rows speak, and no date after the day of delivery does: one row dated 2031 must
    not make a stale batch fresh.
    """
    today = f"DATE '{frame.as_of.isoformat()}'"
    day = f"CAST({identifier(arguments['column'])} AS DATE)"
    return f"SELECT date_diff('day', max({day}), {today}) FROM {ACCEPTED} WHERE {day} <= {today}"


def freshness_limit(contract: Contract, arguments: Mapping[str, Any]) -> Threshold:
    """Return the most days the newest date may be old: those given, or one update cycle."""
    days = arguments.get("days", CYCLE_DAYS[contract.update_cycle])
    return Threshold("mustBeLessOrEqualTo", (float(days),), "days")
