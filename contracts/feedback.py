"""The feedback file: which rows of a batch fail which check, and what to do about it.

It holds row numbers, column titles and rules, never a value, so that it can be mailed: whoever
sent the batch has the values, and nobody else learns any. Of a warning that very many rows carry
only the first are listed; the verdict has their number.

Form: UTF-8 with BOM (spreadsheets need it), one line per finding, ordered by row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from contracts.check import Connection
from contracts.checks import CheckSpec
from contracts.model import Contract
from contracts.verdict import BatchVerdict
from hub.quoting import literals

HEADER = ("行号 row", "文件行 line", "栏目 column", "规则 rule", "级别 severity", "处理 what to do")
MOST_WARNINGS = 1000  # lines per warning
_SEVERITIES = {"error": "错误 error", "warning": "提示 warning"}


def write_feedback(
    con: Connection,
    contract: Contract,
    specs: Sequence[CheckSpec],
    verdict: BatchVerdict,
    path: Path,
    *,
    first_line: int = 2,
) -> int:
    """Write the feedback about a checked batch, whole or not at all.

    Args:
        con: the connection in which the batch was checked, with its `findings`.
        first_line: line of the file in which the first data row stands.

    Returns:
        Lines written, the header apart; checks of the batch as a whole come first, without a row.
    """
    known = {spec.id: spec for spec in specs}
    titles = {item.name: item.title for item in contract.properties}
    rows = con.execute(_findings([s.id for s in specs if s.severity == "warning"])).fetchall()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.new")
    count = 0
    with unfinished.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for result in verdict.results:
            if result.spec.bit is None and not result.passed:
                writer.writerow(_line(None, None, result.spec, titles))
                count += 1
        for line in _lines(rows, known, titles, first_line):
            writer.writerow(line)
            count += 1
    unfinished.replace(path)
    return count


def feedback_example() -> str:
    """Return a feedback file of one invented line, for whoever documents the form."""
    line = ("17", "18", "承租人证件号码", "tenant_id_check_digit", _SEVERITIES["error"])
    text = io.StringIO(newline="")
    csv.writer(text).writerows((HEADER, (*line, "请与证件核对后更正 / compare with the card")))
    return text.getvalue()


def _findings(warnings: Sequence[str]) -> str:
    """SQL of the findings to be listed, by row and rule."""
    place = "row_number() OVER (PARTITION BY rule ORDER BY row_number)"
    listed = f"rule NOT IN ({literals(['', *warnings])}) OR {place} <= {MOST_WARNINGS}"
    return f"SELECT row_number, rule FROM findings QUALIFY {listed} ORDER BY row_number, rule"


def _lines(
    rows: Sequence[tuple[int, str]],
    known: Mapping[str, CheckSpec],
    titles: Mapping[str, str],
    first_line: int,
) -> Iterator[tuple[str, ...]]:
    for number, rule in rows:
        yield _line(number, number + first_line - 1, known[rule], titles)


def _line(
    number: int | None, line: int | None, spec: CheckSpec, titles: Mapping[str, str]
) -> tuple[str, ...]:
    return (
        "" if number is None else str(number),
        "" if line is None else str(line),
        "、".join(titles.get(column, column) for column in spec.columns),
        spec.id,
        _SEVERITIES[spec.severity],
        spec.remedy,
    )
