"""The named rules of our own that a contract may ask for, as SQL.

A rule says when a row FAILS; NULL is not evaluated (that is what `required` is for). Most are a
condition on one row and run in the one scan; `contracts.sets` has those about several rows.
Everything a rule needs to be looked up, checked and explained is its one entry in `NAMED_RULES`.

Source: GB 11643-1999, GB 32100-2015, GB/T 2260, GB/T 4761; ODCS v3.2 custom quality.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from typing import Any, Literal

from contracts.arithmetic import birth_number, credit_is_wrong
from contracts.frame import Frame
from contracts.lists import is_long, is_one_of, none_of, not_in_table
from contracts.model import Contract, Threshold
from contracts.sets import age_of_newest, freshness_limit, rows_without_one_head
from contracts.shapes import RESIDENT_ID
from contracts.sql_guard import row_expression
from hub.quoting import identifier, literal, literals

Kind = Literal["column", "date", "columns", "dataset", "name", "sql", "codes", "count"]
Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NamedRule:
    """One rule.

    Args:
        parameters: argument -> what it holds: a column, a column with dates, a list of columns
            that compare, a dataset, a plain name, SQL, a list of codes, or a whole number from 1.
        fails: SQL condition under which a row fails, or None when it cannot be evaluated now. Of
            a grouped rule: a SELECT of the rowids to blame. With a limit: a SELECT of one number.
        demand: title with `{0}`, `{1}`… for the titles of its columns.
        remedy: what to do, where the contract says nothing better.
        semantic: what the first column must mean, or None.
        clear: cheap SQL that is true only for rows that keep the rule, where there is one.
        looks_up: whether its condition reads another table.
        optional: arguments that may be left out.
        grouped: whether it blames rows for what other rows of the batch hold.
        limit: what the number must satisfy, of a rule that judges the batch and blames no row.
        unproven: why a batch fails when there is no number to judge.
    """

    parameters: Mapping[str, Kind]
    fails: Callable[[Frame, Arguments], str | None]
    dimension: str
    demand: str
    remedy: str
    semantic: str | None = None
    clear: Callable[[Frame, Arguments], str] | None = None
    looks_up: Callable[[Frame, Arguments], bool] = lambda _frame, _arguments: False
    optional: Mapping[str, Kind] = field(default_factory=dict)
    grouped: bool = False
    limit: Callable[[Contract, Arguments], Threshold] | None = None
    unproven: str = ""

    def columns(self, arguments: Arguments) -> tuple[str, ...]:
        """Return the columns it is about, in parameter order."""
        found: list[str] = []
        for name, kind in {**self.parameters, **self.optional}.items():
            if name not in arguments:
                continue
            if kind in ("column", "date"):
                found.append(arguments[name])
            elif kind == "columns":
                found.extend(arguments[name])
            elif kind == "sql":
                found.extend(row_expression(arguments[name]).columns)
        return tuple(found)

    def title(self, titles: tuple[str, ...]) -> str:
        """Return what it demands, with its columns' titles filled in."""
        every = "、".join(titles)
        return self.demand.format(*titles, every=every) if titles else self.demand


def _id_is_wrong(frame: Frame, arguments: Arguments) -> str:
    column = arguments["column"]
    return f"{frame.text(column)} IS NOT NULL AND {frame.valid(column)} IS NOT TRUE"


def _id_is_right(frame: Frame, arguments: Arguments) -> str:
    column = arguments["column"]
    return f"({frame.valid(column)} OR {frame.text(column)} IS NULL)"


def _id_was_a_float(frame: Frame, arguments: Arguments) -> str:
    """Scientific notation, a decimal point, or a wrong number whose last three digits are 0."""
    column = arguments["column"]
    text = frame.text(column)
    scientific = r"[0-9](?:\.[0-9]+)?[Ee]\+?[0-9]{1,2}|[0-9]{15,18}\.0*|[0-9]{15}000"
    return (
        f"{text} IS NOT NULL AND {frame.valid(column)} IS NOT TRUE "
        f"AND regexp_full_match({text}, {literal(scientific)})"
    )


def _birth_differs(frame: Frame, arguments: Arguments) -> str:
    born = frame.typed(arguments["birth_date"])
    number = f"(10000 * year({born}) + 100 * month({born}) + day({born}))"
    return f"{birth_number(frame.body(arguments['id']))} <> {number}"


def _sex_differs(frame: Frame, arguments: Arguments) -> str:
    sex = frame.text(arguments["sex"])
    body = frame.body(arguments["id"])
    return f"{sex} IN ('1', '2') AND {body} % 2 <> (CASE {sex} WHEN '1' THEN 1 ELSE 0 END)"


def _area_unknown(frame: Frame, arguments: Arguments) -> str | None:
    areas = _areas(frame)
    if not areas:
        return None
    if is_long(areas):
        text = frame.text(arguments["column"])
        formed = f"regexp_full_match({text}, {literal(RESIDENT_ID)})"
        return f"{none_of(f'left({text}, 6)', areas)} AND {formed}"
    listed = ", ".join(str(int(area)) for area in areas)
    area = f"{frame.body(arguments['column'])} // 100000000000"
    return f"NOT list_contains([{listed}]::BIGINT[], {area})"


def _areas(frame: Frame) -> tuple[str, ...]:
    return frame.divisions((6,), ever=True)


def _credit_code_wrong(frame: Frame, arguments: Arguments) -> str:
    return credit_is_wrong(frame.text(arguments["column"]))


def _division_unknown(frame: Frame, arguments: Arguments) -> str | None:
    if not frame.divisions(ever=True):
        return None
    if "on_date" in arguments:
        return _division_unknown_on(frame, arguments)
    codes = frame.divisions()
    return none_of(frame.text(arguments["column"]), codes) if codes else None


def _division_unknown_on(frame: Frame, arguments: Arguments) -> str:
    """The code was not in force on the row's own date."""
    text, day = (
        frame.text(arguments["column"]),
        f"CAST({frame.typed(arguments['on_date'])} AS DATE)",
    )
    spans = frame.division_spans()
    known = f"{text} IS NOT NULL AND {day} IS NOT NULL"
    if is_long(frame.divisions(ever=True)):
        listed = " UNION ALL ".join(
            f"SELECT unnest([{literals(codes)}]::VARCHAR[]) AS code, {_day(span[0], '0001-01-01')} "
            f"AS first_day, {_day(span[1], '9999-12-31')} AS last_day"
            for span, codes in spans.items()
        )
        held = (
            f"SELECT 1 FROM ({listed}) WHERE code = {text} AND {day} BETWEEN first_day AND last_day"
        )
        return f"{known} AND NOT EXISTS ({held})"
    cases = " ".join(
        f"WHEN {is_one_of(text, codes)} THEN "
        f"{day} BETWEEN {_day(span[0], '0001-01-01')} AND {_day(span[1], '9999-12-31')}"
        for span, codes in spans.items()
    )
    return f"{known} AND NOT (CASE {cases} ELSE false END)"


def _day(day: date | None, otherwise: str) -> str:
    return f"DATE {literal(day.isoformat() if day else otherwise)}"


def _many_divisions(frame: Frame, arguments: Arguments) -> bool:
    return is_long(frame.divisions(ever="on_date" in arguments))


def _out_of_order(frame: Frame, arguments: Arguments) -> str:
    columns = arguments["columns"]
    kinds = {frame.contract.column(column).logical_type for column in columns}
    cast = "CAST({} AS TIMESTAMP)" if kinds == {"date", "timestamp"} else "{}"
    values = [cast.format(frame.typed(column)) for column in columns]
    return " OR ".join(f"{before} > {after}" for before, after in combinations(values, 2))


def _in_the_future(frame: Frame, arguments: Arguments) -> str:
    column = arguments["column"]
    return f"CAST({frame.typed(column)} AS DATE) > DATE '{frame.as_of.isoformat()}'"


def _refers_to_nothing(frame: Frame, arguments: Arguments) -> str | None:
    relation = frame.relation(arguments["dataset"], arguments["reference_column"])
    if relation is None:
        return None
    there = identifier(arguments["reference_column"])
    return not_in_table(frame.text(arguments["column"]), there, relation)


def _expression_fails(frame: Frame, arguments: Arguments) -> str:  # noqa: ARG001
    return f"NOT ({row_expression(arguments['sql']).sql})"


def _certificate_differs(frame: Frame, arguments: Arguments) -> str:
    certificate, holder, category, grade = (
        frame.text(arguments[name]) for name in ("certificate", "id", "category", "grade")
    )
    return (
        f"substr({certificate}, 1, 18) <> {holder} OR substr({certificate}, 19, 1) <> {category} "
        f"OR substr({certificate}, 20, 1) <> {grade}"
    )


NAMED_RULES: Mapping[str, NamedRule] = {
    "resident_id_check_digit": NamedRule(
        {"column": "column"},
        _id_is_wrong,
        "accuracy",
        "{0}须为有效的公民身份号码 / is a valid identity number",
        "身份号码不正确：请对照证件原件核实后重报。 / Verify the number against the card.",
        "resident_id",
        _id_is_right,
    ),
    "resident_id_float_damage": NamedRule(
        {"column": "column"},
        _id_was_a_float,
        "accuracy",
        "{0}不得被转为数值 / was not turned into a number",
        "号码被电子表格转成数值，末位已丢失：请以文本格式重新导出。 / Export again as text.",
        "resident_id",
        _id_is_right,
    ),
    "resident_id_matches_birth_date": NamedRule(
        {"id": "column", "birth_date": "date"},
        _birth_differs,
        "accuracy",
        "{1}与{0}一致 / birth date agrees with the number",
        "出生日期与身份号码不一致：请核实并改正错的一项。 / Correct the one that is wrong.",
        "resident_id",
    ),
    "resident_id_matches_sex": NamedRule(
        {"id": "column", "sex": "column"},
        _sex_differs,
        "accuracy",
        "{1}与{0}一致 / sex agrees with the number",
        "性别与身份号码不一致：请核实并改正错的一项。 / Correct the one that is wrong.",
        "resident_id",
    ),
    "resident_id_area_known": NamedRule(
        {"column": "column"},
        _area_unknown,
        "conformity",
        "{0}前六位为已知区划 / area prefix is known",
        "前六位不在区划表内：请留意核实。 / Area prefix is unknown: a hint only.",
        "resident_id",
        looks_up=lambda frame, _: is_long(_areas(frame)),
    ),
    "credit_code_check_digit": NamedRule(
        {"column": "column"},
        _credit_code_wrong,
        "accuracy",
        "{0}须为有效的统一社会信用代码 / is a valid credit code",
        "统一社会信用代码不正确：请对照执照核实。 / Verify the code against the licence.",
        "credit_code",
    ),
    "division_known": NamedRule(
        {"column": "column"},
        _division_unknown,
        "consistency",
        "{0}为现行区划代码 / is a division code in force",
        "区划代码不存在或已撤销：请改用现行代码。 / Unknown or abolished code: use the successor.",
        looks_up=_many_divisions,
        optional={"on_date": "date"},
    ),
    "ordered": NamedRule(
        {"columns": "columns"},
        _out_of_order,
        "consistency",
        "{every}依次不早于前者 / are in this order",
        "先后颠倒：请核实并改正。 / They are in the wrong order: correct them.",
    ),
    "not_future": NamedRule(
        {"column": "date"},
        _in_the_future,
        "timeliness",
        "{0}不晚于交付日 / does not lie in the future",
        "日期晚于交付日：请核实。 / The date lies in the future: verify it.",
    ),
    "reference": NamedRule(
        {"column": "column", "dataset": "dataset", "reference_column": "name"},
        _refers_to_nothing,
        "consistency",
        "{0}在被引用数据中存在 / exists in the dataset it refers to",
        "引用的编号查不到：请核实。 / The referenced key does not exist: correct it.",
        looks_up=lambda _frame, _arguments: True,
    ),
    "expression": NamedRule(
        {"sql": "sql"},
        _expression_fails,
        "consistency",
        "{every}满足约定条件 / satisfy the agreed condition",
        "不满足约定条件：请核实并改正。 / The agreed condition does not hold: correct it.",
    ),
    "disability_certificate_matches": NamedRule(
        {"certificate": "column", "id": "column", "category": "column", "grade": "column"},
        _certificate_differs,
        "consistency",
        "{0}与号码、类别、等级一致 / agrees with ID, category and grade",
        "残疾人证号与号码、类别或等级不一致：请核实。 / Certificate number disagrees: verify it.",
        "disability_certificate",
    ),
    "one_household_head": NamedRule(
        {"household": "column", "relation": "column", "heads": "codes"},
        rows_without_one_head,
        "consistency",
        "每{0}恰有一名户主 / every household has exactly one head",
        "该户没有户主或有多名户主：请核实户主和与户主关系。"
        " / The household has no head, or several: verify who its head is.",
        grouped=True,
    ),
    "freshness": NamedRule(
        {"column": "date"},
        age_of_newest,
        "timeliness",
        "{0}最近一次距交付日 / newest, before the day of delivery,",
        "数据陈旧：请确认导出的是最新数据后重报。 / The data is stale: export the newest.",
        optional={"days": "count"},
        limit=freshness_limit,
        unproven="no accepted row has a date up to the day of delivery",
    ),
}


def is_grouped(kind: str) -> bool:
    """Say whether a kind of check is a rule of ours that blames rows for what others hold."""
    return kind in NAMED_RULES and NAMED_RULES[kind].grouped
