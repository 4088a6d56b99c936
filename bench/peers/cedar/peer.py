"""Cedar through cedarpy: policies and entities read once, then one request at a time.

Run as `python peer.py JOB`; see the package this folder lies in for what a job of decisions is.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import cedarpy


def main(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Answer every case of a job."""
    return [_answered(case) for case in job["cases"]]


def _answered(case: dict[str, Any]) -> dict[str, Any]:
    policies = cedarpy.PolicySet.from_str(case["policy"])
    entities = cedarpy.Entities.from_json_str(json.dumps(case["entities"]))
    answers, seconds = [], []
    for request in case["requests"]:
        start = time.perf_counter()
        result = cedarpy.is_authorized(request, policies, entities)
        seconds.append(time.perf_counter() - start)
        if result.diagnostics.errors:
            raise SystemExit(f"Cedar could not evaluate: {result.diagnostics.errors}")
        rules = list(result.diagnostics.id_annotations_by_reason.values())
        answers.append([result.decision is cedarpy.Decision.Allow, rules])
    return {"answers": answers, "seconds": seconds}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
