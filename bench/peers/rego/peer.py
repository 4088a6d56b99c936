"""Rego through rego-cpp (regopy): module and data read once, then one input at a time.

Run as `python peer.py JOB`; see the package this folder lies in for what a job of decisions is.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import regopy

_TRUE = '{"expressions":[true]}'


def main(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Answer every case of a job."""
    return [_answered(case) for case in job["cases"]]


def _answered(case: dict[str, Any]) -> dict[str, Any]:
    rego = regopy.Interpreter()
    rego.add_data(case["data"])
    rego.add_module("access", case["policy"])
    bundle = rego.build(case["query"], [])
    answers, seconds = [], []
    for given in case["requests"]:
        start = time.perf_counter()
        rego.set_input(given)
        output = rego.query_bundle(bundle)
        seconds.append(time.perf_counter() - start)
        answers.append([str(output) == _TRUE, []])
    return {"answers": answers, "seconds": seconds}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
