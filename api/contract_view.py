"""One contract as people read it: facts, columns, checks, promises; in the terminal and as a page.

What a mask leaves is said by `access`, what a check demands by `contracts`; here they meet, for
contracts and access are strangers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from access.files import POLICY_FOLDER
from access.purposes import PurposeRegister, load_purposes
from access.roles import RoleRegister, load_roles
from access.view import is_countable, mask_of
from api.catalogue import CYCLE_TITLES, SHARING_TITLES
from api.pages.rendering import TREATMENTS
from contracts.checks import CheckSpec, plan
from contracts.codes import CodeSets
from contracts.model import Contract, Property, ServiceLevel, TypeOptions
from contracts.versions.diff import Comparison
from hub.catalog import Classification
from hub.config import Settings

MODES = {"full": "全量 full", "append": "增量 append"}
_TYPES = {
    "string": "文本",
    "integer": "整数",
    "number": "数值",
    "boolean": "是/否",
    "date": "日期",
    "timestamp": "时间",
}
_UNITS = {
    "workingDays": "个工作日 working days",
    "d": "天 days",
    "w": "周 weeks",
    "m": "个月 months",
    "y": "年 years",
    "h": "小时 hours",
}
_LEVELS = {
    "frequency": "交付周期",
    "latency": "交付时限",
    "correction": "更正时限",
    "retention": "保存期限",
}
_GENERALISED = {"year": "年份", "month": "年月", "age_band": "年代"}
_SEVERITIES = {"error": "错误", "warning": "提示"}
_DIMENSIONS = {
    "accuracy": "准确性",
    "completeness": "完整性",
    "conformity": "规范性",
    "consistency": "一致性",
    "coverage": "覆盖度",
    "timeliness": "时效性",
    "uniqueness": "唯一性",
}


@dataclass(frozen=True, slots=True)
class Registers:
    """What contracts name by code: agencies, purposes, code sets."""

    roles: RoleRegister
    purposes: PurposeRegister
    code_sets: CodeSets

    @classmethod
    def load(cls, code_sets: CodeSets, settings: Settings) -> Registers:
        """Read the registers of a hub's policy."""
        folder = settings.policy_folder or POLICY_FOLDER
        return cls(load_roles(folder), load_purposes(folder), code_sets)


def described(
    contract: Contract, registers: Registers, change: Comparison | None = None
) -> dict[str, Any]:
    """Return a contract in words, as JSON values.

    Args:
        change: what is new since the version before, when that is known.
    """
    highest = max((p.classification for p in contract.properties), default=Classification.L1)
    agencies = registers.roles.agencies
    return {
        "dataset": contract.name,
        "title": contract.title,
        "version": contract.version,
        "description": contract.description,
        "owner": contract.owner,
        "owner_title": agencies.get(contract.owner, contract.owner),
        "stewards": list(contract.stewards),
        "level": highest.name,
        "sharing": contract.sharing.value,
        "sharing_title": SHARING_TITLES[contract.sharing],
        "legal_basis": contract.legal_basis,
        "legal_notes": _legal_notes(contract),
        "purposes": [
            {"code": code, "title": registers.purposes[code].title if known else code}
            for code in contract.purposes
            for known in [code in registers.purposes]
        ],
        "update_cycle": contract.update_cycle,
        "update_cycle_title": CYCLE_TITLES[contract.update_cycle],
        "delivery_mode": contract.mode,
        "delivery_mode_title": MODES[contract.mode],
        "key": list(contract.key),
        "area_column": contract.area_column,
        "time_column": contract.time_column,
        "bar": {
            "key_accuracy_percent": contract.bar.key_accuracy_percent,
            "overall_percent": contract.bar.overall_percent,
        },
        "service_levels": [_service_level(item) for item in contract.service_levels],
        "columns": [_column(contract, item, registers.code_sets) for item in contract.properties],
        "checks": [_check(spec) for spec in plan(contract)],
        "sources": [
            {
                "partner": source.partner,
                "partner_title": agencies.get(source.partner, source.partner),
                "headers": dict(source.headers),
                "code_maps": {name: dict(pairs) for name, pairs in source.code_maps.items()},
            }
            for source in contract.sources
        ],
        "change": None if change is None else change.to_json(),
    }


def _legal_notes(contract: Contract) -> list[dict[str, Any]]:
    noted = contract.custom.get("legalBasisNotes")
    return [
        {
            "basis": str(item.get("basis", "")),
            "verified": item.get("verified") is True,
            "note": str(item.get("note", "")),
        }
        for item in (noted if isinstance(noted, list) else [])
        if isinstance(item, Mapping)
    ]


def _service_level(level: ServiceLevel) -> dict[str, Any]:
    return {
        "property": level.property,
        "title": _LEVELS.get(level.property, level.property),
        "value": level.value,
        "unit": level.unit,
        "text": f"{level.value} {_UNITS.get(level.unit, level.unit)}".strip(),
    }


def _column(contract: Contract, item: Property, code_sets: CodeSets) -> dict[str, Any]:
    column = item.column()
    treatment = mask_of(column)
    codes = code_sets.get(item.code_set) if item.code_set else None
    return {
        "name": item.name,
        "title": item.title,
        "type": item.logical_type,
        "type_title": _TYPES[item.logical_type],
        "level": item.classification.name,
        "sealed": item.sealed,
        "mask": treatment,
        "mask_title": TREATMENTS.get(treatment, "不显示"),
        "countable": is_countable(contract.dataset, column),
        "semantic": item.semantic,
        "role": item.role,
        "code_set": item.code_set,
        "codes": len(codes.codes) if codes is not None else None,
        "required": item.required or item.key_position is not None,
        "unique": item.unique,
        "key": item.key_position,
        "key_field": item.key_field,
        "clear_as": [
            {"name": name, "how": how, "title": _GENERALISED[how]}
            for name, how in item.clear_as.items()
        ],
        "limits": _limits(item.options),
        "references": [str(reference) for reference in item.references],
        "description": item.description,
    }


def _limits(options: TypeOptions) -> list[str]:
    """Return what the type's options demand, in signs."""
    found = []
    if options.min_length is not None or options.max_length is not None:
        fewest, most = options.min_length, options.max_length
        span = f"{fewest}–{most}" if fewest and most is not None else f"≤ {most}"
        span = f"≥ {fewest}" if most is None else span
        found.append(f"{most if fewest == most else span} 字符 characters")
    for sign, bound in (
        ("≥", options.minimum),
        (">", options.exclusive_minimum),
        ("≤", options.maximum),
        ("<", options.exclusive_maximum),
    ):
        if bound is not None:
            found.append(f"{sign} {bound}")
    return [*found, options.pattern] if options.pattern else found


def _check(spec: CheckSpec) -> dict[str, Any]:
    return {
        "id": spec.id,
        "title": spec.title,
        "columns": list(spec.columns),
        "severity": spec.severity,
        "severity_title": _SEVERITIES[spec.severity],
        "dimension": spec.dimension,
        "dimension_title": _DIMENSIONS.get(spec.dimension, spec.dimension),
        "judges": "batch" if spec.bit is None else "row",
        "key_field": spec.key_field,
        "remedy": spec.remedy,
    }
