"""datacontract-cli, the reference implementation of ODCS: `datacontract test` on the same file.

Rules that the standard's schema or library metrics can say are said so, the others as SQL. It
counts failing rows. Run as `python peer.py JOB`; see the package this folder lies in for what a
job is.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from datacontract.data_contract import DataContract


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Judge a job."""
    logging.disable(logging.CRITICAL)
    text = yaml.safe_dump(_contract(job), allow_unicode=True)
    start = time.perf_counter()
    run = DataContract(data_contract_str=text, server="file").test()
    seconds = time.perf_counter() - start
    judged = {
        yaml.safe_load(check.qualityDefinition)["description"]
        for check in run.checks
        if check.qualityDefinition and check.result in ("passed", "failed")
    }
    expressed = [rule["id"] for rule in job["rules"] if rule["id"] in judged]
    return {"seconds": seconds, "expressed": expressed, "keys": None}


def _contract(job: dict[str, Any]) -> dict[str, Any]:
    columns = [{"name": c["name"], "logicalType": "string"} for c in job["columns"]]
    by_name = {column["name"]: column for column in columns}
    whole: list[dict[str, Any]] = []
    for rule in job["rules"]:
        library = _library(rule)
        if library is not None:
            place = whole
            if rule["columns"]:
                place = by_name[rule["columns"][0]].setdefault("quality", [])
            place.append({"type": "library", "description": rule["id"], **library})
        elif rule["fails"]:
            query = f"SELECT count(*) FROM delivered WHERE {rule['fails']}"
            whole.append({"type": "sql", "description": rule["id"], "query": query, "mustBe": 0})
    server = {"server": "file", "type": "local", "path": job["file"], "format": job["format"]}
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "bench",
        "name": "bench",
        "version": "1.0.0",
        "status": "active",
        "servers": [{**server, "delimiter": ","}],
        "schema": [
            {
                "name": "delivered",
                "logicalType": "object",
                "properties": columns,
                "quality": whole,
            }
        ],
    }


def _library(rule: dict[str, Any]) -> dict[str, Any] | None:
    """Return the library metric that says a rule, or None when there is none."""
    given = rule["arguments"]
    if "values" in given:
        return _invalid({"validValues": given["values"]})
    match rule["kind"]:
        case "required":
            return {"metric": "nullValues", "mustBe": 0}
        case "missingValues":
            return {
                "metric": "nullValues",
                "mustBeLessThan": given["percent"],
                "unit": "percent",
            }
        case "pattern":
            return _invalid({"pattern": given["pattern"]})
        case "key_duplicate":
            return {"metric": "duplicateValues", "mustBe": 0}
        case "rowCount":
            return {"metric": "rowCount", "mustBeGreaterThan": 0}
    return None


def _invalid(arguments: dict[str, Any]) -> dict[str, Any]:
    return {"metric": "invalidValues", "arguments": arguments, "mustBe": 0}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
