"""The worklist brought to what the last publication found; safe to repeat, cheap when done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from assets.integrated.rules import load_person_rules
from assets.runtime import Runtime
from hub.events import AuditEvent, EventTag
from hub.keyring import Keyring
from hub.store.conflicts import Conflict, ItemNames, is_there, read_conflicts
from hub.store.worklist import Checked, FoundItem, Worklist


def check_worklist(run: Runtime) -> Checked | None:
    """Check the worklist against the last publication, once.

    A run that was killed after publishing leaves this to the next one.

    Returns:
        What changed, or None when there is no publication the worklist does not know.
    """
    latest = next(iter(run.records.publications(limit=1)), None)
    worklist = Worklist(run.records)
    if latest is None or worklist.checked(latest.version):
        return None
    con = run.lake.open()
    titles = {rule.kind: rule.title for rule in load_person_rules(run.catalog).conflicts}
    conflicts = read_conflicts(con) if is_there(con) else ()
    found = items_of(conflicts, run.keyring, titles)
    now = run.clock.now()
    result = worklist.check(latest.version, found, now)
    details = {"version": latest.version, **asdict(result)}
    run.emit(AuditEvent(EventTag.PARTNER_WORKLIST_CHECKED, now, details))
    said = (
        f"{result.standing:,} conflicts stand; {result.appeared:,} new, "
        f"{result.resolved:,} resolved, {result.reopened:,} reopened"
    )
    run.progress.step("review", latest.version, said)
    return result


def items_of(
    conflicts: Iterable[Conflict], keyring: Keyring, titles: dict[str, str]
) -> dict[str, FoundItem]:
    """Return one item per conflict; several rules may have found the same."""
    names = ItemNames(keyring)
    found: dict[str, FoundItem] = {}
    for conflict in conflicts:
        name = names.of(conflict)
        if name not in found:
            found[name] = FoundItem(
                id=name,
                kind=conflict.kind,
                title=titles.get(conflict.kind, conflict.kind),
                department=conflict.likely_wrong,
                evidence=conflict.fingerprint,
                datasets=tuple(e.dataset for e in conflict.evidence),
                batches=tuple(dict.fromkeys(e.batch for e in conflict.evidence)),
            )
    return found
