"""The catalogue as a body: what the hub can hold, whose it is, and how it may be shared."""

from __future__ import annotations

from typing import Any

from api.outcome import Outcome
from api.services import Services
from hub.catalog import Classification, Dataset, SharingType

SHARING_TITLES = {
    SharingType.UNCONDITIONAL: "无条件共享",
    SharingType.CONDITIONAL: "有条件共享",
    SharingType.NOT_SHARED: "不予共享",
}
CYCLE_TITLES = {
    "realtime": "实时",
    "daily": "每日",
    "weekly": "每周",
    "monthly": "每月",
    "quarterly": "每季度",
    "yearly": "每年",
}


def datasets(services: Services) -> Outcome:
    """Return every dataset of the catalogue, in name order."""
    held = services.vocabulary.catalog.values()
    return Outcome(200, {"datasets": [_entry(dataset, services) for dataset in held]})


def _entry(dataset: Dataset, services: Services) -> dict[str, Any]:
    highest = max((c.classification for c in dataset.columns), default=Classification.L1)
    return {
        "dataset": dataset.name,
        "title": dataset.title,
        "description": dataset.description,
        "owner": dataset.owner,
        "owner_title": services.vocabulary.agency(dataset.owner),
        "sharing": dataset.sharing.value,
        "sharing_title": SHARING_TITLES[dataset.sharing],
        "legal_basis": dataset.legal_basis,
        "update_cycle": dataset.update_cycle,
        "update_cycle_title": CYCLE_TITLES.get(dataset.update_cycle, dataset.update_cycle),
        "level": highest.name,
        "version": dataset.version,
        "columns": [
            {
                "name": column.name,
                "title": column.title,
                "type": column.logical_type,
                "level": column.classification.name,
            }
            for column in dataset.columns
        ],
    }
