"""The demonstration's emergency: opened at once, reviewed afterwards, seen by the person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from api.console import out

_RESCUE = {
    "purpose": "emergency.rescue",
    "case": "120-0605",
    "reason": "老人昏迷，急救人员需要联系家属 / unconscious; the medics need the family",
    "persons": 1,
    "minutes": 15,
}
_REVIEW = {
    "justified": True,
    "reason": "与急救中心核实，属实 / confirmed with the ambulance service",
}


def break_the_glass(
    web: httpx.Client, headers_of: Callable[[str], dict[str, str]], id_number: str
) -> None:
    """Open an emergency, see one person in it, and have it reviewed by a second person."""

    def post(actor: str, path: str, body: Mapping[str, Any]) -> httpx.Response:
        return web.post(path, json=body, headers=headers_of(actor))

    opened = post("officer.west", "/v1/officer/emergency", _RESCUE).raise_for_status().json()
    number = opened["id"]
    out.print(
        f"[bold]officer.west[/] opens emergency {number}: {opened['persons_max']} person, until "
        f"{opened['until'][11:16]} UTC, to be reviewed by the end of {opened['review_by'][:10]}"
    )
    who = {"by": "resident_id", "value": id_number, "case": _RESCUE["case"]}
    path = f"/v1/officer/emergency/{number}/lookup"
    shown = post("officer.west", path, who).raise_for_status().json()
    cells = {c["column"]: c["value"] for c in shown["subjects"][0]["fields"]}
    out.print(
        f"  and sees the person in clear: {cells.get('name')}, {cells.get('phone')}; receipt "
        f"{shown['receipt']['index']}"
    )
    path = f"/v1/oversight/emergencies/{number}/review"
    own = post("officer.west", path, _REVIEW)
    out.print(
        f"[bold]officer.west[/] reviews it: [red]{own.status_code} refused[/]: "
        f"{own.json()['detail']}",
        soft_wrap=True,
    )
    done = post("oversight", path, _REVIEW).raise_for_status().json()
    out.print(f"[bold]oversight[/] reviews it: {done['state_title']}", soft_wrap=True)
