"""Dagster's view of the quality cards: on the checked batches of each dataset, its open cards.

Annotations are not postponed here: Dagster reads that of `context` as a class, not as text.
"""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from assets.cards import cards_by_dataset
from contracts.cards.deriving import Card
from contracts.cards.life import Colour
from contracts.cards.words import COLOUR_TITLES, KIND_TITLES, what_to_do


def card_checks(
    datasets: Mapping[dg.AssetKey, str], after: dg.AssetKey
) -> dg.AssetChecksDefinition:
    """Return the checks that carry the open cards of each dataset.

    Args:
        datasets: asset key of a dataset's checked batches -> its name.
        after: the asset that evaluates the cards.
    """

    @dg.multi_asset_check(
        name="card_checks",
        specs=[
            dg.AssetCheckSpec(
                "cards", asset=key, additional_deps=[after], description="No open quality card?"
            )
            for key in datasets
        ],
        can_subset=True,
        required_resource_keys={"hub"},
    )
    def check_cards(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        found = cards_by_dataset(context.resources.hub)
        for wanted in sorted(context.selected_asset_check_keys, key=str):
            yield _card_result(wanted.asset_key, found.get(datasets[wanted.asset_key], ()))

    return check_cards


def _card_result(key: dg.AssetKey, standing: Sequence[Card]) -> dg.AssetCheckResult:
    is_red = any(card.colour is Colour.RED for card in standing)
    return dg.AssetCheckResult(
        asset_key=key,
        check_name="cards",
        passed=not standing,
        severity=dg.AssetCheckSeverity.ERROR if is_red else dg.AssetCheckSeverity.WARN,
        metadata={
            card.id: f"{COLOUR_TITLES[card.colour]} · {KIND_TITLES[card.cause.kind]} · "
            f"{card.cause.period} · {what_to_do(card)}"
            for card in standing
        },
    )
