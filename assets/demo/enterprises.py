"""Units: enterprises, shops, offices, associations; each with a resident who represents it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assets.demo import numbers
from assets.demo.columns import Column, Ints, days, join, pick, text, where
from assets.demo.district import Block, District, places
from assets.demo.homes import Homes
from assets.demo.population import ACTIVE, People

_KINDS = (b"91", b"92", b"12", b"52", b"N2")  # registering authority and kind of unit
_STEMS = [
    "晨光",
    "宏达",
    "金穗",
    "润泽",
    "鼎新",
    "瑞祥",
    "远航",
    "同心",
    "百川",
    "天和",
    "明德",
    "嘉禾",
    "卓越",
    "盛世",
    "兴业",
    "博雅",
    "蓝天",
    "惠民",
]
_TRADES = [
    "商贸",
    "餐饮",
    "科技",
    "建材",
    "服饰",
    "物流",
    "文化传播",
    "家政服务",
    "机电",
    "食品",
    "装饰工程",
    "信息咨询",
]
_ENDINGS = ("有限公司", "店", "服务中心", "协会", "股份经济合作社")


def representatives(district: District, block: Block, people: People) -> Ints:
    """Return the persons who represent a unit, one row per unit, each only once."""
    random = district.random("units", block.index)
    age = people.age(district.last_day())
    can = np.flatnonzero((age >= 24) & (age <= 68) & (people.status == ACTIVE))
    count = min(len(can), round(block.persons * 0.035))
    chosen: Ints = np.sort(random.choice(can, count, replace=False))
    return chosen


def unit_rows(
    district: District, block: Block, people: People, homes: Homes, persons: Ints
) -> dict[str, Column]:
    """Return the rows of enterprise.unit, one per unit."""
    random = district.random("unit rows", block.index)
    rows = len(persons)
    kind = random.choice(5, rows, p=(0.36, 0.56, 0.03, 0.04, 0.01))
    serial = block.index * 20_000 + np.arange(rows)
    registrar = np.frombuffer(b"".join(_KINDS), np.uint8).reshape(-1, 2)[kind]
    slot = random.integers(homes.shops, len(homes.grid), rows)
    code = pick([place.code for place in places()], homes.grid[slot])
    stem = pick(_STEMS, random.integers(len(_STEMS), size=rows))
    second = pick(_STEMS, random.integers(len(_STEMS), size=rows))
    trade = pick(_TRADES, random.integers(len(_TRADES), size=rows))
    who = pa.array(persons)
    return {
        "credit_code": numbers.credit_codes(serial, registrar),
        "name": join("明镜区", stem, second, trade, pick(_ENDINGS, kind)),
        "category": text(kind + 1),
        "address": homes.address.take(pa.array(slot)),
        "division_code": pc.utf8_slice_codeunits(code, 0, 12),
        "grid_code": code,
        "phone": people.phone.take(who),
        "employees": text(np.where(kind == 1, 1, 4) + random.geometric(0.12, rows)),
        "legal_representative_id": people.number.take(who),
        "legal_representative_name": people.name.take(who),
        "status": pick(
            ("1", "1", "1", "1", "1", "1", "1", "1", "2", "4"), random.integers(10, size=rows)
        ),
        "established_on": days(district.last_day() - random.integers(60, 9_000, rows)),
        "registered_capital_wan": where(kind == 0, text(random.integers(1, 200, rows) * 10), "5"),
    }
