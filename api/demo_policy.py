"""The demonstration's change of the policy: one invented administrator proposes, another approves."""

from __future__ import annotations

from access.changes import Standing, difference
from access.desk import Act
from access.duties import Refusal
from access.files import POLICY_FOLDER, read_folder
from api.commands.access.office import done, office
from api.console import out
from hub.config import Settings

_FIRST, _SECOND = "admin.system", "admin.security"
_BEFORE, _AFTER = "one_person_per_request list_cap=20", "one_person_per_request list_cap=10"


def change_the_policy(settings: Settings) -> None:
    """Halve how many persons a search may list, as two persons do it; say what happens."""
    built_in = read_folder(POLICY_FOLDER)
    texts = {**built_in, "policy.csv": built_in["policy.csv"].replace(_BEFORE, _AFTER, 1)}
    with office(settings.home) as at:

        def act(by: str) -> Act:
            return at.act(by, "核查名单缩短 / shorter lists")

        number = done(at.desk.propose(texts, act(_FIRST)))
        out.print(f"[bold]{_FIRST}[/] proposes change {number}:")
        changed = sum(line.startswith("+grid-") for line in difference(built_in, texts))
        out.print(f"  {changed} rule: {_BEFORE} → {_AFTER}")
        own = at.desk.approve(number, act(_FIRST))
        if isinstance(own, Refusal):
            out.print(
                f"[bold]{_FIRST}[/] approves it: [red]refused[/]: {own.reason}", soft_wrap=True
            )
        approved: Standing = done(at.desk.approve(number, act(_SECOND)))
        out.print(
            f"[bold]{_SECOND}[/] approves it: {approved.state}, version {approved.change.digest[:16]}"
        )
