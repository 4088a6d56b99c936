"""What every road shows: what may be seen of persons, a record for each, and for who stands beside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from access import rendering
from access.answers import Answer, SubjectView
from access.asking import OWN_DATA, Asked, Found, Means, answer, refusal_for, shown, traits_about
from access.beside import Beside
from access.disclosure import Part
from access.model import Action
from access.recording import Prepared
from access.usage_record import SubjectRole, UsageRecord


def found(
    means: Means,
    asked: Asked,
    people: Iterable[Found],
    *,
    more: bool,
    searched: bool = False,
) -> Prepared[Answer]:
    """Return what may be seen of people, an entry for each, and for whom it shows beside them.

    Args:
        more: whether there are more than these.
        searched: whether the one person was found by an earlier search.
    """
    listed = asked.decision.action is Action.SEARCH
    records: list[UsageRecord] = []
    subjects: list[SubjectView] = []
    beside = beside_of(means, asked)
    for key, document in people:
        traits = traits_about(means, asked, key, document)
        area = asked.actor.area
        view = rendering.render(document, asked.plan, area, traits, searched=searched)
        label = means.keys.label.of(key)
        records.append(shown(means, asked, Part(label, datasets=view.datasets, fields=view.fields)))
        beside.see(key, traits, view.beside)
        handle = means.finder.handle(asked.actor, key, asked.time) if listed else ""
        subjects.append(SubjectView(handle, view.golden, view.records))
    complete = answer(asked, asked.decision.reason, "", subjects=tuple(subjects), more=more)
    records.extend(incidental(means, asked, beside))
    return Prepared(tuple(records), complete, refusal_for(means, asked))


def beside_of(means: Means, asked: Asked) -> Beside:
    """Return what gathers who stands beside the persons that a request shows."""
    own = means.decider.policy.purposes.get(OWN_DATA)
    return Beside(asked.decision.action, frozenset(own.withheld) if own else frozenset())


def incidental(means: Means, asked: Asked, beside: Beside) -> Iterator[UsageRecord]:
    """Yield the record of each person who stands in what is shown of others."""
    if asked.snapshot is None:
        return
    for key, fields in beside.others(asked.snapshot.identity):
        datasets = tuple(dict.fromkeys([name.rpartition(".")[0] for name in fields]))
        part = Part(means.keys.label.of(key), SubjectRole.INCIDENTAL, datasets, fields)
        yield shown(means, asked, part)
