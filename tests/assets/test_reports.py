"""Great Expectations stays out of a run that has nothing to report or is not asked to.

Each case runs in a process of its own: what another test imported must not count.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RUN = """
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from api.setup import make_hub
from assets import definitions, steps
from assets.runtime import Promises, Quiet, open_runtime
from contracts.verdict import BatchVerdict
from hub.clock import SystemClock
from hub.config import load_settings

verdict = BatchVerdict("housing.tenancy", 0, 0, 0, 0, (), (), None, None, True, "")
news = SimpleNamespace(
    quality=lambda: (SimpleNamespace(dataset="housing.tenancy", batch_id="b"),),
    verdict=lambda batch: SimpleNamespace(document=verdict.to_json()),
)
home, reports, has_news = Path(sys.argv[1]), sys.argv[2] == "reports", sys.argv[3] == "news"
settings = load_settings(home=home, profile="demonstration", reports=reports)
make_hub(settings)
with open_runtime(settings, SystemClock(), Quiet(), Promises.of(settings)) as run:
    found = steps.write_reports(replace(run, records=news) if has_news else run)
print(found is not None, "great_expectations" in sys.modules)
"""


@pytest.mark.parametrize(
    ("reports", "news", "told"),
    [
        ("reports", "no news", "False False"),
        ("no reports", "news", "False False"),
        ("reports", "news", "True True"),
    ],
)
def test_great_expectations_is_imported_only_for_news_that_is_wanted(
    tmp_path: Path, reports: str, news: str, told: str
) -> None:
    command = [sys.executable, "-W", "ignore", "-c", RUN, str(tmp_path / "hub"), reports, news]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == told
