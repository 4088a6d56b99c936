"""datacontract-cli's verdicts, in its own environment: `python reference_child.py JOB`.

JOB is a JSON list of {dataset, contract (YAML text), lint (YAML text)}; prints as its last line
dataset -> {lint: [reasons], checks: [{type, field, rule, result, reason, value}]}. Knows nothing of
this project.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

import yaml
from datacontract.data_contract import DataContract


def main(jobs: list[dict[str, str]]) -> dict[str, Any]:
    """Lint and test every contract."""
    logging.disable(logging.CRITICAL)
    found = {}
    for job in jobs:
        lint = DataContract(data_contract_str=job["lint"]).lint()
        run = DataContract(data_contract_str=job["contract"], server="file").test()
        found[job["dataset"]] = {
            "lint": [check.reason for check in lint.checks if check.result != "passed"],
            "checks": [
                {
                    "type": check.type,
                    "field": check.field,
                    "rule": yaml.safe_load(check.qualityDefinition or "{}").get("name"),
                    "result": str(getattr(check.result, "value", check.result)),
                    "reason": check.reason,
                    "value": (check.diagnostics or {}).get("value"),
                }
                for check in run.checks
            ],
        }
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(Path(sys.argv[1]).read_text("utf-8")))))
