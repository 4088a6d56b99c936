"""Field samples for API and pages: what was drawn and what it proves, drawn, taken back.

Lists hold counts only. A worksheet names people: `api.field_sample` has policy and guard decide.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from access.answers import SampleQuery
from access.model import Action, Actor, Request
from api.deliveries import partner_of
from api.outcome import Outcome
from api.services import Services
from api.uploads import Download
from contracts.accuracy.measures import cut_percent, estimates
from hub.errors import AccessDenied
from hub.store.samples import FieldSample, Samples


def listing(services: Services, actor: Actor) -> Outcome:
    """Return the samples of the actor's department, of all for the data bureau, newest first.

    Raises:
        AccessDenied: when the actor is neither a partner's steward nor the bureau's.
    """
    partner = partner_of(actor)
    found = [s for s in Samples(services.records).all() if partner in (None, s.department)]
    return Outcome(200, {"samples": [_body(services, sample) for sample in reversed(found)]})


def drawable(services: Services, actor: Actor) -> list[dict[str, str]]:
    """Return the datasets that the policy lets the actor draw a sample of, with a case."""
    decider, purpose = services.guard.decider, SampleQuery("", (), None).purpose
    found = []
    for name, dataset in services.vocabulary.catalog.items():
        asked = Request(actor, Action.SAMPLE, (name,), purpose, "any", at=services.clock.now())
        if decider.plan(asked).decision.allowed:
            found.append({"dataset": name, "title": dataset.title})
    return found


def draw(services: Services, actor: Actor, dataset: str, case: str, level: str) -> Download:
    """Draw a sample and return its worksheet; the copy in HOME/samples stays until it is back.

    Raises:
        AccessDenied: when the actor is no steward, or policy refuses; that refusal is recorded.
        RequestError: when the dataset cannot be verified, or a sample of it is in the field.
        NotFound: when there is no such dataset, or before the first publication.
        LedgerError: when the uses could not be recorded; there is no worksheet then.
    """
    from api.field_sample import SampleOrder, draw_sample  # writes workbooks: only when asked for

    partner_of(actor)
    _, path = draw_sample(services, SampleOrder(dataset, case, actor, level))
    return Download(path.name, path.read_bytes())


def take_back(services: Services, actor: Actor, path: Path) -> Outcome:
    """Take a filled worksheet of the actor's department back and return what it proves.

    Raises:
        AccessDenied: when the actor is no department's steward.
        DeliveryRefused: with every finding and its cell; nothing is recorded.
        NotFound: when there is no such sample, or it is another department's.
        RequestError: when it was returned before.
    """
    from api.field_sample import return_sample  # reads workbooks: only when one comes

    if partner_of(actor) is None:
        raise AccessDenied("由抽样部门退回。 / The department that drew the sample returns it.")
    return Outcome(200, _body(services, return_sample(services, path, actor.agency)))


def _body(services: Services, sample: FieldSample) -> dict[str, Any]:
    strict, reached = estimates(sample)
    back = sample.is_back
    return {
        "id": sample.id,
        "dataset": sample.dataset,
        "title": services.vocabulary.dataset_title(sample.dataset),
        "department": sample.department,
        "month": sample.month,
        "drawn_at": sample.drawn_at,
        "returned_at": sample.returned_at,
        "size": sample.size,
        "population": sample.population,
        "strata": len(sample.strata),
        "seed": sample.seed,
        "seed_chosen": sample.has_chosen_seed,
        "right_percent": cut_percent(strict.share) if back else None,
        "lower_bound_percent": cut_percent(strict.lower) if back else None,
        "proven": strict.proven if back else None,
        "reached_lower_bound_percent": cut_percent(reached.lower) if back else None,
    }
