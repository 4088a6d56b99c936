"""SQL of others: what is harmless passes anew, everything else is refused with a reason."""

from __future__ import annotations

import pytest

from contracts.sql_guard import OWN_TABLE, UnsafeSql, query, row_expression

OTHERS = {"address.standard_address": '"lake"."register"."address__standard_address"'}


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("starts_with(grid_code, division_code)", {"grid_code", "division_code"}),
        ("a IS NULL OR b NOT IN ('1', '2')", {"a", "b"}),
        ("born <= seen - INTERVAL 18 YEAR", {"born", "seen"}),
        ("coalesce(try_cast(substr(a, 17, 1) AS INTEGER) % 2, 1) = 1", {"a"}),
        ("CASE WHEN a > 0 THEN b ELSE c END", {"a", "b", "c"}),
        ("a BETWEEN 1 AND 2 AND NOT b", {"a", "b"}),
        ("extract(year FROM d) > 2000", {"d"}),
    ],
)
def test_plain_expressions_pass(sql: str, columns: set[str]) -> None:
    assert set(row_expression(sql).columns) == columns


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "1 = 1",
        "a =",
        "a; DROP TABLE x",
        "a = 1 FROM t",
        "a = 1 AS b",
        "a, b",
        "read_text('/etc/passwd') = a",
        "getenv('HOME') = a",
        "current_setting('secret_directory') = a",
        "(SELECT count(*) FROM x) = a",
        "EXISTS (SELECT 1 FROM x WHERE a)",
        "a IN (SELECT b FROM c)",
        "sum(a) > 1",
        "row_number() OVER () = a",
        "a = $1",
        "a = ?",
        "some_new_function(a)",
        "nextval('s') = a",
        "a = current_date",
        "random() < a",
    ],
)
def test_anything_else_about_a_row_is_refused(sql: str) -> None:
    with pytest.raises(UnsafeSql):
        row_expression(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM ${object} WHERE ${property} IS NULL",
        "SELECT count(*) FROM {table} t WHERE t.a > 1",
        "SELECT sum(a) FILTER (WHERE b) * 100.0 / count(DISTINCT c) FROM ${model}",
        "WITH q AS (SELECT a FROM ${object}) SELECT max(a) FROM q",
        "SELECT count(*) FROM ${object} o LEFT JOIN address.standard_address a USING (address_id)",
    ],
)
def test_plain_queries_pass(sql: str) -> None:
    guarded = query(sql, "cc", OTHERS)
    assert OWN_TABLE in guarded.tables
    assert "$" not in guarded.sql
    assert ("lake" in guarded.sql) is ("address" in sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "SELECT count(*), 1 FROM ${object}",
        "SELECT count(*) FROM ${object}; DELETE FROM ${object}",
        "DELETE FROM ${object}",
        "INSERT INTO ${object} VALUES (1)",
        "COPY ${object} TO 'x.csv'",
        "ATTACH 'x'",
        "PRAGMA database_list",
        "SET memory_limit = '1TB'",
        "SELECT max(a) INTO b FROM ${object}",
        "SELECT count(*) FROM ${object} UNION SELECT 1",
        "SELECT count(*) FROM 'file.csv', ${object}",
        "SELECT count(*) FROM ${object}, read_csv('x.csv')",
        "SELECT count(*) FROM ${object} JOIN glob('*') ON true",
        "SELECT count(*) FROM ${object}, information_schema.tables",
        "SELECT count(*) FROM ${object}, duckdb_secrets()",
        "SELECT (SELECT count(*) FROM ${object}) - (SELECT count(*) FROM sqlite_master)",
        "SELECT count(*) FROM ${object}, housing.tenancy",
        "SELECT read_text('x') FROM ${object}",
        "SELECT count(*) FROM ${object} /* */; -- \nDROP TABLE x",
        "/* SELECT count(*) FROM ${object} */ CALL pragma_version()",
        "EXPLAIN ANALYZE SELECT count(*) FROM ${object}",
        "EXPORT DATABASE 'x'",
        "INSTALL httpfs",
        "LOAD 'x.so'",
        "CREATE TABLE t AS SELECT count(*) FROM ${object}",
        "SELECT count(*) FROM ${object}, read_parquet('*')",
        "SELECT count(*) FROM ${object}, parquet_metadata('x')",
        "SELECT count(*) FROM ${object}, duckdb_settings()",
        "SELECT count(*) FROM ${object}, pragma_table_info('x')",
        "SELECT count(*) FROM ${object}, range(1000000000000)",
        "SELECT count(*) FROM ${object}, generate_series(1, 9)",
        "SELECT count(*) FROM ${object}, query('DROP TABLE x')",
        "SELECT count(*) FROM ${object}, query_table('x')",
        "SELECT count(*) FROM ${object}, LATERAL (SELECT read_blob('x'))",
        "SELECT getvariable('x') FROM ${object}",
        "SELECT count(*) FROM ${object} WHERE a IN (FROM 'file.csv')",
        "SELECT count(*) FROM ${object}, 'https://example.org/x.parquet'",
        "SELECT count(*) FROM ${object} TABLESAMPLE 10%",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r, ${object}",
        "WITH RECURSIVE r AS (SELECT 1 AS n FROM r) SELECT max(n) FROM r, ${object}",
        "PIVOT ${object} ON a",
        "FROM ${object}",
        "VALUES (1)",
        "SELECT * FROM ${object}",
        "SELECT count(*) FROM ${object} WHERE a = ${property} AND b = :name",
        "SELECT " + "(" * 3000 + "1" + ")" * 3000 + " FROM ${object}",
    ],
)
def test_anything_else_about_a_dataset_is_refused(sql: str) -> None:
    with pytest.raises(UnsafeSql):
        query(sql, "cc", OTHERS)


@pytest.mark.parametrize(
    "sql",
    [
        'WITH "/tmp/x.csv" AS (SELECT * FROM "/tmp/x.csv") SELECT count(*) FROM ${object}',
        "WITH checked AS (SELECT * FROM checked) SELECT count(*) FROM ${object}, checked",
        "WITH a AS (SELECT * FROM b), b AS (SELECT 1 AS x) SELECT count(*) FROM ${object}, a",
        (
            'WITH "lake.register.police.case" AS (SELECT 1 AS x) '
            'SELECT count(*) FROM ${object}, lake.register."police.case"'
        ),
        "WITH a AS (SELECT 1 AS x), a AS (SELECT 2 AS x) SELECT count(*) FROM ${object}, a",
    ],
)
def test_with_cannot_name_a_way_out(sql: str) -> None:
    with pytest.raises(UnsafeSql):
        query(sql)


def test_with_names_what_stands_before_it() -> None:
    guarded = query(
        "WITH a AS (SELECT count(*) AS n FROM ${object}) SELECT max(n) FROM a, ${object}"
    )
    assert guarded.sql.startswith("WITH a AS")


def test_a_cast_that_one_bad_value_would_end_the_run_with_gives_nothing_instead() -> None:
    assert "TRY_CAST(a AS INT)" in row_expression("CAST(a AS INTEGER) > 1").sql
    assert "TRY_CAST" in query("SELECT sum(a::INTEGER) FROM ${object}").sql


def test_comments_do_not_survive() -> None:
    guarded = query("SELECT count(*) /* '; DROP */ FROM ${object} -- COPY")
    assert "COPY" not in guarded.sql.replace("/* COPY */", "")
    assert ";" not in guarded.sql.replace("/* '; DROP */", "")


def test_a_relation_may_be_a_query_of_the_hubs_own() -> None:
    published = '(SELECT "k" FROM lake.register."other.thing" WHERE valid_to IS NULL)'
    guarded = query(
        "SELECT count(*) FROM ${object} o JOIN other.thing t USING (k)",
        tables={"other.thing": published},
    )
    assert 'FROM lake.register."other.thing" WHERE' in guarded.sql
    assert guarded.sql.count("AS t") == 1


#: A quoted type name is rendered as it came: what stands behind it would be new SQL.
SMUGGLED = 'CAST(a AS """VARCHAR"" IS NULL OR (SELECT count(*) FROM query(b)) > 0 OR 1 = CAST(1 AS ""INT""")'


@pytest.mark.parametrize(
    "sql",
    [
        SMUGGLED,
        'CAST(a AS "INT; DROP TABLE x") = 1',
        "CAST(a AS some_type) = 1",
        "CAST(a AS GUID) IS NULL",
        "CAST(a AS VARCHAR[]) IS NULL",
        "CAST(a AS STRUCT(x INT)) IS NULL",
        "a OPERATOR(pg_catalog.+) 1 = 2",
        "a COLLATE nocase = 'x'",
        "a.b.c = 1",
        "lpad(a, 2000000000, 'y') = a",
        "a[1] = 2",
        "(a -> b) = 1",
    ],
)
def test_nothing_that_is_rendered_as_it_came_gets_through(sql: str) -> None:
    with pytest.raises(UnsafeSql):
        row_expression(sql)
    with pytest.raises(UnsafeSql):
        query(f"SELECT count(*) FROM ${{object}} WHERE {sql}")


def test_a_query_cannot_put_something_else_in_place_of_its_dataset() -> None:
    with pytest.raises(UnsafeSql, match="cannot name"):
        query("WITH dataset AS (SELECT 1 AS a) SELECT count(*) FROM ${object}")


@pytest.mark.parametrize("kind", ["INTEGER", "VARCHAR", "DATE", "DECIMAL(10, 2)", "TIMESTAMP"])
def test_values_are_cast_to_plain_types(kind: str) -> None:
    guarded = row_expression(f"CAST(a AS {kind}) IS NOT NULL")
    assert guarded.sql.startswith("NOT TRY_CAST(a AS")
