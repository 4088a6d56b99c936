"""soda-core on DuckDB: one contract, its own kinds of check where it has one, else failed rows.

It counts failing rows; their keys are kept only by its paid service. Run as `python peer.py JOB`;
see the package this folder lies in for what a job is.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ["SODA_CORE_TELEMETRY_ENABLED"] = "false"

import duckdb
from ruamel.yaml import YAML
from soda_core.common.yaml import ContractYamlSource
from soda_core.contracts.contract_verification import ContractVerificationSession
from soda_duckdb.common.data_sources.duckdb_data_source import DuckDBDataSourceImpl

_READ = "header = true, auto_detect = false, delim = ',', quote = '\"'"


def main(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Judge a job."""
    written = folder / "soda.yml"
    with written.open("w", encoding="utf-8") as stream:
        YAML().dump(_contract(job), stream)
    logging.disable(logging.CRITICAL)
    start = time.perf_counter()
    con = duckdb.connect(config={"threads": 2})
    con.execute(f"CREATE TABLE delivered AS SELECT * FROM {_source(job)}")
    session = ContractVerificationSession.execute(
        contract_yaml_sources=[ContractYamlSource.from_file_path(str(written))],
        data_source_impls=[DuckDBDataSourceImpl.from_existing_cursor(con, "file")],
    )
    seconds = time.perf_counter() - start
    results = session.contract_verification_results[0].check_results
    judged = {result.check.name for result in results if result.threshold_value is not None}
    expressed = [rule["id"] for rule in job["rules"] if rule["id"] in judged]
    return {"seconds": seconds, "expressed": expressed, "keys": None}


def _source(job: dict[str, Any]) -> str:
    if job["format"] == "parquet":
        return f"read_parquet('{job['file']}')"
    columns = ", ".join(f"'{column['name']}': 'VARCHAR'" for column in job["columns"])
    return f"read_csv('{job['file']}', {_READ}, columns = {{{columns}}})"


def _contract(job: dict[str, Any]) -> dict[str, Any]:
    columns = [{"name": column["name"], "checks": []} for column in job["columns"]]
    checks: dict[str, list[Any]] = {column["name"]: column["checks"] for column in columns}
    whole: list[Any] = []
    for number, rule in enumerate(job["rules"]):
        own = _own(rule)
        if own is not None:
            kind, body = own
            place = checks[rule["columns"][0]] if rule["columns"] else whole
            place.append({kind: {"name": rule["id"], "qualifier": f"q{number}", **body}})
        elif rule["fails"]:
            body = {"name": rule["id"], "qualifier": f"q{number}", "expression": rule["fails"]}
            whole.append({"failed_rows": body})
    kept = [column if column["checks"] else {"name": column["name"]} for column in columns]
    return {"dataset": "file/main/delivered", "columns": kept, "checks": whole}


def _own(rule: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Return the kind and body of soda's own check for a rule, or None when it has none."""
    given = rule["arguments"]
    if "values" in given:
        return "invalid", {"valid_values": given["values"]}
    match rule["kind"]:
        case "required":
            return "missing", {}
        case "missingValues":
            threshold = {"metric": "percent", "must_be_less_than": given["percent"]}
            return "missing", {"threshold": threshold}
        case "length":
            return "invalid", {"valid_min_length": given["min"], "valid_max_length": given["max"]}
        case "pattern":
            return "invalid", {"valid_format": {"regex": given["pattern"], "name": "form"}}
        case "key_duplicate":
            return "duplicate", {}
        case "rowCount":
            return "row_count", {}
    return None


if __name__ == "__main__":
    path = Path(sys.argv[1])
    print(json.dumps(main(json.loads(path.read_text(encoding="utf-8")), path.parent)))
