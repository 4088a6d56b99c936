"""SQL written by others: parsed, cut down to what is known to be harmless, or refused.

Fails closed: a statement is refused unless every node of its syntax tree is of a kind listed
here, every function is on the list and every table is one the contract may read. What passes is
written anew from the tree, so nothing reaches the engine that was not understood.

Source: ODCS v3.2 quality type `sql`; DuckDB SQL (functions that read files, settings, secrets).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

OWN_TABLE = "dataset"
"""Name by which a guarded query reads the dataset it belongs to."""

_FUNCTIONS = """
abs age all and any any_value array_length avg case cast ceil ceiling char_length coalesce
concat concat_ws contains count count_if date date_diff date_part date_trunc datediff day
day_of_month day_of_week day_of_year dayofmonth dayofweek dayofyear distinct ends_with
endswith exists extract floor greatest if ifnull isfinite isnan last_day least left length
list_contains lower ltrim max md5 median min mod month not nullif or power prefix
quarter regexp_full_match regexp_ilike regexp_like regexp_matches regexp_replace replace
reverse right round rtrim sign split_part starts_with startswith stddev stddev_samp
str_position strftime strlen strpos strptime substr substring suffix sum time_to_str
timestamp_trunc trim try_cast ts_or_ds_to_date upper variance week xor year
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
#: Operators by name: a kind that is not here (a schema-qualified operator, a collation, an access
#: to a field) is rendered as it was written, and what is rendered verbatim was not understood.
_OPERATORS = (
    exp.Add,
    exp.And,
    exp.BitwiseAnd,
    exp.BitwiseOr,
    exp.DPipe,
    exp.Div,
    exp.EQ,
    exp.Escape,
    exp.GT,
    exp.GTE,
    exp.ILike,
    exp.IntDiv,
    exp.Is,
    exp.LT,
    exp.LTE,
    exp.Like,
    exp.Mod,
    exp.Mul,
    exp.NEQ,
    exp.Neg,
    exp.Not,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
    exp.Or,
    exp.Paren,
    exp.Sub,
)
#: Types a value may be cast to, by their one name; a quoted or unknown name is no type.
_TYPES = frozenset(
    {
        exp.DataType.Type.BIGINT,
        exp.DataType.Type.BOOLEAN,
        exp.DataType.Type.DATE,
        exp.DataType.Type.DECIMAL,
        exp.DataType.Type.DOUBLE,
        exp.DataType.Type.FLOAT,
        exp.DataType.Type.INT,
        exp.DataType.Type.INT128,
        exp.DataType.Type.SMALLINT,
        exp.DataType.Type.TEXT,
        exp.DataType.Type.TIME,
        exp.DataType.Type.TIMESTAMP,
        exp.DataType.Type.TIMESTAMPNTZ,
        exp.DataType.Type.TIMESTAMPTZ,
        exp.DataType.Type.TINYINT,
        exp.DataType.Type.UBIGINT,
        exp.DataType.Type.UINT,
        exp.DataType.Type.VARCHAR,
    }
)
_EXPRESSION_NODES = (
    *_OPERATORS,
    exp.Between,
    exp.Boolean,
    exp.Column,
    exp.DataType,
    exp.DataTypeParam,
    exp.Identifier,
    exp.In,
    exp.Interval,
    exp.IntervalSpan,
    exp.Literal,
    exp.Null,
    exp.Tuple,
    exp.Var,
)
_QUERY_NODES = (
    *_EXPRESSION_NODES,
    exp.Alias,
    exp.CTE,
    exp.Distinct,
    exp.Filter,
    exp.From,
    exp.Group,
    exp.Having,
    exp.Join,
    exp.Limit,
    exp.Order,
    exp.Ordered,
    exp.Select,
    exp.Star,
    exp.Subquery,
    exp.Table,
    exp.TableAlias,
    exp.Where,
    exp.With,
)
_WORD = re.compile(r"[A-Za-z_]{1,20}")
_CTE_NAME = re.compile(r"[a-z_][a-z0-9_]{0,40}")
_PLACEHOLDER = re.compile(r"\$?\{\s*(object|table|schema|model|dataset)\s*\}")
_OWN_COLUMN = re.compile(r"\$?\{\s*(property|column|field)\s*\}")
_MARKER = "__own_dataset__"


@dataclass(frozen=True, slots=True)
class GuardedSql:
    """SQL that passed, written anew from its syntax tree.

    Args:
        columns: names of the columns it reads, in order of appearance, each once.
        tables: names of the tables it reads; `OWN_TABLE` stands for the dataset itself.
    """

    sql: str
    columns: tuple[str, ...]
    tables: tuple[str, ...] = ()


class UnsafeSql(ValueError):
    """The SQL is refused; the message says why."""


def row_expression(sql: str) -> GuardedSql:
    """Return a boolean expression over one row's columns.

    Raises:
        UnsafeSql: when it does not parse, is no single expression, or holds a subquery, a table,
            an aggregate or a function that is not on the list.
    """
    tree = _parsed(f"SELECT {sql}")
    selected = tree.expressions if isinstance(tree, exp.Select) else []
    rest = [
        name for name, value in tree.args.items() if value and name not in ("expressions", "kind")
    ]
    if len(selected) != 1 or rest or isinstance(selected[0], exp.Alias):
        raise UnsafeSql("must be one boolean expression over the row, without FROM or alias")
    for node in selected[0].walk():
        if isinstance(node, exp.AggFunc | exp.Window):
            raise UnsafeSql(f"{node.key} looks at other rows; use type: sql for that")
        _require(node, _EXPRESSION_NODES)
    again = _understood(tree, (*_EXPRESSION_NODES, exp.Select))
    expression = again.expressions[0]
    if any(column.table for column in expression.find_all(exp.Column)):
        raise UnsafeSql("name a column of the row by its name alone")
    if len(again.expressions) != 1 or expression.find(exp.Select, exp.AggFunc, exp.Window):
        raise UnsafeSql("reads differently when it is written anew")
    columns = tuple(_columns(expression))
    if not columns:
        raise UnsafeSql("reads no column, so it says nothing about a row")
    return GuardedSql(expression.sql(dialect="duckdb"), columns)


def query(
    sql: str, column: str | None = None, tables: Mapping[str, str] | None = None
) -> GuardedSql:
    """Return a query that yields one number about a dataset.

    Args:
        column: what the placeholders `${property}`, `${column}`, `${field}` stand for.
        tables: dataset name -> relation it may also read; a dataset that is not named is refused.

    Raises:
        UnsafeSql: when it is no single SELECT, or reads anything but its own dataset (written
            `${object}` or `${table}`) and the datasets in `tables`.
    """
    text = _PLACEHOLDER.sub(_MARKER, sql)
    if column is not None:
        text = _OWN_COLUMN.sub(f'"{column}"', text)
    tree = _parsed(text)
    chosen = tree.expressions if isinstance(tree, exp.Select) else []
    if len(chosen) != 1 or chosen[0].is_star:
        raise UnsafeSql("must be one SELECT of one number")
    tree = _understood(tree, _QUERY_NODES)
    read = tuple(_tables(tree, _named(tree), tables or {}))
    if OWN_TABLE not in read:
        raise UnsafeSql("does not read its own dataset; write it as ${object}")
    return GuardedSql(tree.sql(dialect="duckdb"), tuple(_columns(tree)), read)


def _parsed(sql: str) -> exp.Expr:
    try:
        trees = sqlglot.parse(sql, dialect="duckdb")
    except (SqlglotError, RecursionError) as exc:
        reason = str(exc).splitlines()[0]
        raise UnsafeSql(f"does not parse: {reason}") from exc
    if len(trees) != 1 or trees[0] is None:
        raise UnsafeSql("must be a single statement")
    return trees[0].transform(_lenient)


def _understood(tree: exp.Expr, allowed: tuple[type[exp.Expr], ...]) -> exp.Expr:
    """Return the tree of what the engine will be given, once every node of it is permitted.

    What is judged is the text as it is written anew, not as it came: a node that would carry
    other text into it would show there.
    """
    for node in tree.walk():
        _require(node, allowed)
    text = tree.sql(dialect="duckdb")
    again = _parsed(text)
    for node in again.walk():
        _require(node, allowed)
    if again.sql(dialect="duckdb") != text:
        raise UnsafeSql("reads differently when it is written anew")
    return again


def _lenient(node: exp.Expr) -> exp.Expr:
    """Turn a cast that one bad value would end the run with into one that gives NULL."""
    return exp.TryCast(**node.args) if type(node) is exp.Cast else node


def _require(node: exp.Expr, allowed: tuple[type[exp.Expr], ...]) -> None:
    if isinstance(node, exp.Func | exp.Anonymous):
        names = {node.name.lower()} if isinstance(node, exp.Anonymous) else _names(node)
        if not names & FUNCTIONS:
            raise UnsafeSql(f"function {min(names)} is not permitted")
    elif type(node) not in allowed:
        raise UnsafeSql(f"{node.key} is not permitted here")
    elif isinstance(node, exp.DataType) and node.this not in _TYPES:
        raise UnsafeSql(f"type {node.sql(dialect='duckdb')} is not permitted")
    elif isinstance(node, exp.Column) and node.db:
        raise UnsafeSql(f"{node.sql(dialect='duckdb')} is no column of a table read here")
    elif isinstance(node, exp.Var) and not _WORD.fullmatch(node.name):
        raise UnsafeSql(f"{node.name!r} is not permitted here")


def _names(node: exp.Func) -> set[str]:
    return {name.lower() for name in node.sql_names()}


def _columns(tree: exp.Expr) -> Iterator[str]:
    yield from dict.fromkeys(column.name for column in tree.find_all(exp.Column))


def _named(tree: exp.Expr) -> tuple[str, ...]:
    """Return the names that WITH gives, in order; a name that could be a file or relation is none."""
    names = tuple(cte.alias for cte in tree.find_all(exp.CTE, bfs=False))
    for name in names:
        if not _CTE_NAME.fullmatch(name) or names.count(name) > 1 or name in (OWN_TABLE, _MARKER):
            raise UnsafeSql(
                f"WITH cannot name anything {name!r}: use a-z, 0-9 and _, each name once"
            )
    return names


def _visible(table: exp.Table, named: tuple[str, ...]) -> tuple[str, ...]:
    """Return the WITH names a table reference may mean: inside WITH only those before its own."""
    inside = table.find_ancestor(exp.CTE)
    return named if inside is None else named[: named.index(inside.alias)]


def _tables(tree: exp.Expr, named: tuple[str, ...], tables: Mapping[str, str]) -> Iterator[str]:
    """Rewrite every table to what it stands for and yield its name."""
    for table in list(tree.find_all(exp.Table)):
        name = ".".join(part.name for part in table.parts)
        if name == _MARKER:
            table.set("this", exp.to_identifier(OWN_TABLE, quoted=True))
            yield OWN_TABLE
        elif name in tables:
            relation = sqlglot.parse_one(f"SELECT 1 FROM {tables[name]}", dialect="duckdb")
            relation = relation.args["from_"].this
            relation.set(
                "alias", table.args.get("alias") or exp.TableAlias(this=exp.to_identifier("t"))
            )
            table.replace(relation)
            yield name
        elif len(table.parts) != 1 or name not in _visible(table, named):
            raise UnsafeSql(f"may not read {name}")
