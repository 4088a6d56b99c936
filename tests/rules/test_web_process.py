"""The web process starts without the pipeline: neither Dagster nor Great Expectations."""

from __future__ import annotations

import ast
import subprocess
import sys

FORBIDDEN = ("dagster", "great_expectations", "assets", "splink", "pandas")
PROGRAM = f"""
import sys
import api.app
print([name for name in sys.modules if name.partition(".")[0] in {FORBIDDEN!r}])
"""


WORKBOOKS = PROGRAM.replace("import api.app", "import api.app, api.exchange, api.field_sample")


def test_the_web_process_never_loads_the_pipeline() -> None:
    assert loaded(PROGRAM) == []


def test_whoever_hands_a_workbook_out_loads_of_assets_what_reads_and_writes_it() -> None:
    found = loaded(WORKBOOKS)
    assert {name.partition(".")[0] for name in found} == {"assets"}
    parts = {name.split(".")[1] for name in found if "." in name}
    assert parts == {"delivery", "guarded", "integrated", "reconciliation", "reports"}


def loaded(program: str) -> list[str]:
    """Return the forbidden modules that a process of its own has loaded after a program."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return list(ast.literal_eval(done.stdout.strip()))
