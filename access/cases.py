"""What the register of cases says: whether a case is open to an agency for a purpose, and of whom.

A purpose may go by the register (`case: open`), or by the register and the persons a case is about
(`case: member`). The register knows cases and persons by keyed names only.

Source: 个人信息保护法 5-6 (purpose limitation), 34 (statutory duties, within their limits).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from access.model import CaseStanding
from access.purposes import Purpose
from hub.store.registers import CaseFile

_REFUSALS: Mapping[CaseStanding, tuple[str, str]] = {
    CaseStanding.CLOSED: (
        "该案件已办结或已到期 / the case is closed or has run out",
        "案件仍在办理的，请重新登记 / if it is still being worked on, have a new one entered",
    ),
    CaseStanding.NOT_YET: (
        "该案件尚未开始 / the case has not begun yet",
        "请在案件开始后查询 / ask once it has",
    ),
    CaseStanding.OTHER_AGENCY: (
        "该案件不是贵部门的案件 / the case is another agency's",
        "请填写本部门登记的案件 / give a case your own agency has entered",
    ),
    CaseStanding.OTHER_PURPOSE: (
        "该案件登记的目的不包括此目的 / the case was not entered for this purpose",
        "请按该案件登记的目的查询，或者另行登记 / state a purpose it was entered for, or enter another",
    ),
    CaseStanding.UNKNOWN: (
        "案件登记册中没有该案件 / the register of cases has no such case",
        "请案件承办人登记：hub access case open / have it entered by who handles it",
    ),
}

#: Reason and remedy where the case is not about the person, or there is nobody.
NOT_OF_CASE = (
    "该案件的当事人中没有此人 / nobody under this value is a person of the case",
    "请案件承办人登记当事人：hub access case add / have them entered by who handles the case",
)


def standing(case: CaseFile | None, agency: str, purpose: str, at: datetime) -> CaseStanding:
    """Return what the register says of a case towards an agency, for a purpose, at an instant.

    Whose case it is comes first: another agency learns nothing more about it.
    """
    if case is None:
        return CaseStanding.UNKNOWN
    if case.agency != agency:
        return CaseStanding.OTHER_AGENCY
    if at >= case.closes_at:
        return CaseStanding.CLOSED
    if at < case.opened_at:
        return CaseStanding.NOT_YET
    return CaseStanding.OPEN if purpose in case.purposes else CaseStanding.OTHER_PURPOSE


def refusal(purpose: Purpose, found: CaseStanding) -> tuple[str, str]:
    """Return reason and remedy of a request whose case is not open."""
    reason, remedy = _REFUSALS[found]
    return f"{purpose.title}：{reason}", remedy
