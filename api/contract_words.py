"""Contracts in the terminal: findings by file, a comparison, one contract whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from api.console import err, out, print_rows
from contracts.drafting.draft import MARK
from contracts.findings import Finding
from contracts.model import Contract
from contracts.verdict import BatchVerdict
from contracts.versions.diff import Comparison

_PARTIES = {
    "consumer": "使用方 consumers",
    "provider": "提供方 provider",
    "subject": "数据主体 data subjects",
}
_LEVEL_STYLES = {"L1": "", "L2": "", "L3": "yellow", "L4": "bold red"}


def print_findings(grouped: Mapping[str, Sequence[Finding]]) -> None:
    """Print findings file by file on standard error, with how many there are."""
    for file, findings in grouped.items():
        err.print(Text(file or "–", style="bold"))
        for item in findings:
            err.print(Text(f"  {item.line:>5}  {item.message}"), soft_wrap=True)
    count = sum(map(len, grouped.values()))
    err.print(f"[bold red]{count} findings[/] in {len(grouped)} files: nothing is loaded")


def print_comparison(comparison: Comparison) -> None:
    """Print what differs, whom it breaks, and what the version ought to be."""
    old, new = comparison.old_version, comparison.new_version
    out.print(Text(f"{comparison.dataset}  {old} → {new}", style="bold"))
    if not comparison.differences:
        out.print("没有差别 / no differences")
        return
    for item in sorted(comparison.differences, key=lambda d: -d.bump):
        whom = "、".join(_PARTIES[party] for party in item.breaks)
        mark = (
            Text(f"✘ 不兼容 breaks {whom}", "red") if whom else Text("✔ 兼容 compatible", "green")
        )
        out.print(Text.assemble("  ", mark, f"  {item.text}"), soft_wrap=True)
    out.print(_verdict(comparison), soft_wrap=True)


def _verdict(comparison: Comparison) -> Text:
    given = "–" if comparison.given is None else str(comparison.given)
    asked = f"需要 {comparison.needed}，已给 {given} / asks for {comparison.needed}, has {given}"
    give = comparison.remedy or "MAJOR.MINOR.PATCH"
    if not comparison.is_admissible:
        return Text(f"{asked}：不予采用，请改为 {give} / is refused, give it {give}", "bold red")
    if not comparison.is_honest:
        return Text(f"{asked}：可采用，宜为 {give} / is taken, {give} would be right", "yellow")
    return Text(asked, "green")


def print_drafted(contract: Contract, text: str, verdict: BatchVerdict) -> None:
    """Say on standard error what was drafted, and how its own sample fares under it."""
    sealed = sum(item.sealed for item in contract.properties)
    share = "–" if verdict.overall is None else f"{verdict.overall:.2%}"
    err.print(
        f"{contract.name}: {len(contract.properties)} columns, {sealed} sealed, "
        f"{text.count(MARK)} to confirm; of {verdict.rows:,} rows {share} accepted",
        soft_wrap=True,
    )
    if not verdict.passed:
        err.print(Text(f"the sample stays below the bar: {verdict.reason}", "yellow"))


def print_contract(told: Mapping[str, Any]) -> None:
    """Print one contract as `api.contract_view.described` tells it."""
    out.print(Text(f"{told['title']}  {told['dataset']}  {told['version']}", style="bold"))
    _print_facts(told)
    _print_columns(told["columns"])
    checks = [
        {
            "severity": f"{c['severity_title']} {c['severity']}",
            "dimension": f"{c['dimension_title']} {c['dimension']}",
            "check": c["title"],
            "judges": {"row": "行 row", "batch": "批 batch"}[c["judges"]],
        }
        for c in told["checks"]
    ]
    print_rows("核查 Checks", checks, as_json=False)
    for source in told["sources"]:
        headers = [{"header": k, "column": v} for k, v in source["headers"].items()]
        title = f"来源 Source {source['partner_title']} ({source['partner']})"
        print_rows(title, headers, as_json=False, empty="no headers of its own")
        for column, pairs in source["code_maps"].items():
            out.print(Text(f"  {column}: " + "  ".join(f"{a} → {b}" for a, b in pairs.items())))
    if told["change"] is not None:
        since = told["change"]["old_version"]
        rows = [
            {"breaks": d["breaks"] or "–", "what": d["text"]} for d in told["change"]["differences"]
        ]
        print_rows(f"与 {since} 相比 Since {since}", rows, as_json=False, empty="nothing")


def _print_facts(told: Mapping[str, Any]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    levels = "；".join(f"{s['title']} {s['text']}" for s in told["service_levels"])
    bar = told["bar"]
    unverified = [n["basis"] for n in told["legal_notes"] if not n["verified"]]
    facts = {
        "用途 About": told["description"],
        "提供部门 Owner": f"{told['owner_title']} ({told['owner']})",
        "联系人 Stewards": "、".join(told["stewards"]),
        "共享 Sharing": f"{told['sharing_title']} ({told['sharing']}), {told['level']}",
        "法律依据 Legal basis": told["legal_basis"],
        "未核实 Not verified": "；".join(unverified),
        "用于 Purposes": "、".join(f"{p['title']} ({p['code']})" for p in told["purposes"]),
        "更新 Updated": f"{told['update_cycle_title']}, {told['delivery_mode_title']}",
        "时限 Promises": levels,
        "主键 Key": "、".join(told["key"]),
        "区域列 Area": told["area_column"],
        "时间列 Time": told["time_column"],
        "门槛 Bar": f"{bar['key_accuracy_percent']:g} % / {bar['overall_percent']:g} %",
    }
    for name, value in facts.items():
        if value:
            table.add_row(Text(name, "bold"), Text(str(value)))
    out.print(table)


def _print_columns(columns: Sequence[Mapping[str, Any]]) -> None:
    table = Table(title="列 Columns", title_justify="left", header_style="bold")
    for name in ("column", "名称 title", "type", "level", "stored", "masked as", "means", "about"):
        table.add_column(name, overflow="fold")
    for item in columns:
        marks = "".join(sign for sign, on in (("⚿", item["key"]), ("*", item["required"])) if on)
        table.add_row(
            Text(f"{item['name']}{' ' + marks if marks else ''}"),
            Text(item["title"]),
            Text(item["type"]),
            Text(item["level"], _LEVEL_STYLES[item["level"]]),
            Text("封存 sealed" if item["sealed"] else "明文 clear"),
            Text(item["mask_title"]),
            Text("、".join(filter(None, (item["semantic"], item["code_set"]))) or "–"),
            Text(item["role"] or "–"),
        )
    out.print(table)
    out.print("⚿ 主键 key   * 必填 required")
