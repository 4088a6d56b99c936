"""What two versions of a contract say differently, for whom that breaks, and what version it asks.

Pure. Every difference is a value with a sentence; a version that is the same says nothing.

Source: ODCS v3.2; Semantic Versioning 2.0.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.model import Contract
from contracts.versions.columns import Codes, compare_columns, listed, renames
from contracts.versions.difference import (
    BOTH,
    CONSUMER,
    NOBODY,
    PROVIDER,
    SUBJECTS,
    Bump,
    Difference,
    next_version,
    step,
)
from contracts.versions.rules import compare_bar, compare_rules, compare_service_levels
from hub.catalog import SharingType

_OPENNESS = (SharingType.NOT_SHARED, SharingType.CONDITIONAL, SharingType.UNCONDITIONAL)
_CYCLES = ("realtime", "daily", "weekly", "monthly", "quarterly", "yearly")
#: Custom properties that nothing is derived from but what people read.
_REMARKS = ("legalBasisNotes", "breakdown", "secrecyReviewed", "secrecyRemark")


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions of one contract, compared."""

    dataset: str
    old_version: str
    new_version: str
    differences: tuple[Difference, ...]

    @property
    def breaking(self) -> tuple[Difference, ...]:
        """The differences that break anybody."""
        return tuple(item for item in self.differences if item.is_breaking)

    @property
    def needed(self) -> Bump:
        """The step of the version that the differences ask for."""
        return max((item.bump for item in self.differences), default=Bump.NONE)

    @property
    def given(self) -> Bump | None:
        """The step that was taken; None when the new version is none or lies before the old."""
        return step(self.old_version, self.new_version)

    @property
    def is_honest(self) -> bool:
        """Say whether the version tells what semantic versioning asks it to tell."""
        return self.given is not None and self.given >= self.needed

    @property
    def is_admissible(self) -> bool:
        """Say whether the hub takes the new version.

        A breaking change (wider access is one) needs a new major version, any other change a later
        version of whatever step.
        """
        if self.needed is Bump.NONE:
            return True
        least = Bump.MAJOR if self.needed is Bump.MAJOR else Bump.PATCH
        return self.given is not None and self.given >= least

    @property
    def remedy(self) -> str | None:
        """The version to give it, None when the old one is no version to count from."""
        return next_version(self.old_version, self.needed)

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return {
            "dataset": self.dataset,
            "old_version": self.old_version,
            "new_version": self.new_version,
            "needed": str(self.needed),
            "given": None if self.given is None else str(self.given),
            "honest": self.is_honest,
            "admissible": self.is_admissible,
            "version_to_give": None if self.is_honest else self.remedy,
            "differences": [
                {
                    "kind": item.kind,
                    "subject": item.subject,
                    "breaks": list(item.breaks),
                    "bump": str(item.bump),
                    "text": item.text,
                }
                for item in self.differences
            ],
        }


def compare(
    old: Contract, new: Contract, old_codes: Codes | None = None, new_codes: Codes | None = None
) -> Comparison:
    """Compare two versions of a contract.

    Args:
        old_codes, new_codes: code set -> its codes at the time; what is not given is not compared.
    """
    differences = (
        *_dataset(old, new),
        *compare_columns(old, new, old_codes or {}, new_codes or {}),
        *_headers(old, new),
        *_code_maps(old, new),
        *compare_rules(old, new),
        *compare_bar(old, new),
        *compare_service_levels(old, new),
    )
    differences += tuple(_wording(old, new, differences))
    return Comparison(new.name, old.version, new.version, differences)


def _dataset(old: Contract, new: Contract) -> Iterator[Difference]:
    if old.name != new.name:
        text = f"数据集由 {old.name} 改为 {new.name} / the dataset has another name"
        yield Difference("dataset_renamed", new.name, BOTH, text)
    if old.owner != new.owner:
        text = f"提供部门由 {old.owner} 改为 {new.owner} / another department delivers it"
        yield Difference("owner_changed", "ownerDepartment", PROVIDER, text)
    yield from _sharing(old, new)
    yield from _cycle(old, new)
    if old.mode != new.mode:
        text = f"交付方式由 {old.mode} 改为 {new.mode} / deliveries mean something else"
        yield Difference("delivery_mode_changed", "deliveryMode", BOTH, text)
    moved = {before: after for after, before in renames(old, new).items()}
    if tuple(moved.get(name, name) for name in old.key) != new.key:
        text = f"主键由 {_keyed(old)} 改为 {_keyed(new)} / the key has changed"
        yield Difference("key_changed", "primaryKey", BOTH, text)
    for name, chinese, was, now in (
        ("areaColumn", "区域列", old.area_column, new.area_column),
        ("timeColumn", "时间列", old.time_column, new.time_column),
    ):
        if was is not None and moved.get(was, was) != now:
            text = f"{chinese}由 {was} 改为 {now or '–'}，统计口径随之改变 / counts are by another column"
            yield Difference("statistics_column_changed", name, CONSUMER, text)
        elif was is None and now is not None:
            text = f"新设{chinese} {now} / counts by {now} are possible"
            yield Difference("statistics_column_added", name, NOBODY, text)


def _sharing(old: Contract, new: Contract) -> Iterator[Difference]:
    was, now = _OPENNESS.index(old.sharing), _OPENNESS.index(new.sharing)
    if now < was:
        text = f"共享类型由 {old.sharing} 收窄为 {new.sharing} / is shared with fewer"
        yield Difference("sharing_narrowed", "sharingType", CONSUMER, text)
    elif now > was:
        text = f"共享类型由 {old.sharing} 放宽为 {new.sharing}，影响数据主体 / is shared with more: affects data subjects"
        yield Difference("sharing_widened", "sharingType", SUBJECTS, text)
    before, after = set(old.purposes), set(new.purposes)
    if gone := before - after:
        text = f"不再用于 {listed(gone)} / purposes are withdrawn"
        yield Difference("purpose_withdrawn", "purposes", CONSUMER, text)
    if fresh := after - before:
        text = f"新增用途 {listed(fresh)}，影响数据主体 / new purposes: affects data subjects"
        yield Difference("purpose_added", "purposes", SUBJECTS, text)
    if old.legal_basis != new.legal_basis:
        text = (
            "法律依据已修改，影响数据主体，请复核既有授权"
            " / another legal basis: affects data subjects; review the grants"
        )
        yield Difference("legal_basis_changed", "legalBasis", SUBJECTS, text)


def _cycle(old: Contract, new: Contract) -> Iterator[Difference]:
    was, now = _CYCLES.index(old.update_cycle), _CYCLES.index(new.update_cycle)
    change = f"更新周期由 {old.update_cycle} 改为 {new.update_cycle}"
    if now < was:
        text = f"{change}，须更常交付 / has to be delivered more often"
        yield Difference("update_cycle_shortened", "updateCycle", PROVIDER, text)
    elif now > was:
        text = f"{change}，更新变慢 / is updated less often"
        yield Difference("update_cycle_extended", "updateCycle", CONSUMER, text)


def _keyed(contract: Contract) -> str:
    return "、".join(contract.key) or "–"


def _headers(old: Contract, new: Contract) -> Iterator[Difference]:
    """Yield the headers a partner's file could have and cannot any more."""
    moved = {before: after for after, before in renames(old, new).items()}
    kept = {p.name for p in new.properties} | set(moved)
    said: set[str] = set()
    for partner in (None, *sorted(source.partner for source in old.sources)):
        accepted = new.headers(partner)
        for header, column in old.headers(partner).items():
            own_name = header == column and column in moved
            now = moved.get(column, column)
            if column not in kept or own_name or header in said or accepted.get(header) == now:
                continue
            said.add(header)
            whose = f"部门 {partner} 的" if partner else ""
            text = f"{whose}表头“{header}”不再对应列 {now} / header no longer means {now}"
            yield Difference("header_removed", now, PROVIDER, text)
    gained = sorted(
        f"{source.partner}: {header}"
        for source in new.sources
        for header in source.headers.keys() - old.source(source.partner).headers.keys()
    )
    if gained:
        text = f"新增可接受的表头 {listed(gained)} / accepts more headers"
        yield Difference("header_added", "sources", NOBODY, text)


def _code_maps(old: Contract, new: Contract) -> Iterator[Difference]:
    moved = {before: after for after, before in renames(old, new).items()}
    kept = {p.name for p in new.properties}
    for source in old.sources:
        now = new.source(source.partner).code_maps
        for column, pairs in source.code_maps.items():
            name = moved.get(column, column)
            lost = [raw for raw, code in pairs.items() if now.get(name, {}).get(raw) != code]
            if lost and name in kept:
                text = f"部门 {source.partner} 的原值 {listed(lost)} 不再按原代码转换 / is mapped otherwise"
                yield Difference("code_map_removed", name, PROVIDER, text)
    for source in new.sources:
        before = old.source(source.partner).code_maps
        for column, pairs in source.code_maps.items():
            fresh = pairs.keys() - before.get(column, {}).keys()
            if fresh and column not in moved.values():
                text = f"部门 {source.partner} 的原值 {listed(fresh)} 可自动转换 / maps more values"
                yield Difference("code_map_added", column, NOBODY, text)


def _wording(old: Contract, new: Contract, found: Sequence[Difference]) -> Iterator[Difference]:
    """Yield what only people read: title, description, stewards and the rest of the document."""
    changed = [
        name
        for name, was, now in (
            ("title", old.title, new.title),
            ("description", old.description, new.description),
            ("stewards", old.stewards, new.stewards),
            *((name, old.custom.get(name), new.custom.get(name)) for name in _REMARKS),
        )
        if was != now
    ]
    unread = _unread(old.document, new.document)
    changed += [name for name in unread if name not in changed]
    if not changed and not found and _bare(old.document) != _bare(new.document):
        changed = ["document"]
    if changed:
        text = f"文字或说明性内容已修改：{'、'.join(changed)} / wording changed"
        yield Difference("wording", "document", NOBODY, text, Bump.PATCH)


#: Parts of a document that the comparison reads piece by piece.
_READ = ("version", "schema", "customProperties", "slaProperties", "name", "id")


def _unread(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    names = sorted({*old, *new} - set(_READ))
    return [name for name in names if old.get(name) != new.get(name)]


def _bare(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "version"}
