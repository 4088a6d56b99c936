"""The web process starts without the pipeline: neither Dagster nor Great Expectations."""

from __future__ import annotations

import subprocess
import sys

FORBIDDEN = ("dagster", "great_expectations", "assets", "splink", "pandas")
PROGRAM = f"""
import sys
import api.app
print([name for name in sys.modules if name.partition(".")[0] in {FORBIDDEN!r}])
"""


def test_the_web_process_never_loads_the_pipeline() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
