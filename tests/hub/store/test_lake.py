"""The lake: whole after a killed process, and readable after its home was moved."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hub.config import Settings
from hub.store import lake
from tests.factories import settings_in

_SPILL_AND_DIE = """
import os, sys
from pathlib import Path
from hub.config import load_settings
from hub.store import lake
con = lake.open_workspace(load_settings(home=Path(sys.argv[1]), profile="demonstration"))
con.execute("SET memory_limit = '60MB'")
con.execute("CREATE TABLE big AS SELECT range AS n, repeat('x', 200) || range AS text FROM range(500000)")
os._exit(9)
"""


def _left_by_a_killed_process(settings: Settings) -> list[Path]:
    command = [sys.executable, "-c", _SPILL_AND_DIE, str(settings.home)]
    assert subprocess.run(command, check=False).returncode == 9
    return list(settings.work.glob("spill-*"))


def test_what_a_killed_process_has_spilled_stops_nobody(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    left = _left_by_a_killed_process(settings)
    assert left
    assert any(left[0].iterdir())
    con = lake.open_workspace(settings)
    con.execute("SET memory_limit = '60MB'")
    con.execute("CREATE TABLE big AS SELECT repeat('x', 200) || range AS text FROM range(500000)")
    assert lake.abandoned_spills(settings) == left  # and not those of a process that lives
    con.close()


def test_spilled_data_is_encrypted(tmp_path: Path) -> None:
    (folder,) = _left_by_a_killed_process(settings_in(tmp_path))
    assert all(b"x" * 64 not in file.read_bytes() for file in folder.iterdir())


def test_a_home_that_was_moved_keeps_its_lake(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "here")
    con = lake.open_lake(settings)
    con.execute("CREATE TABLE lake.meta.kept AS SELECT range AS n FROM range(1000)")
    con.close()
    (tmp_path / "here").rename(tmp_path / "there")
    con = lake.open_lake(settings_in(tmp_path / "there"))
    assert con.execute("SELECT sum(n) FROM lake.meta.kept").fetchone() == (499_500,)
    con.execute("INSERT INTO lake.meta.kept VALUES (1)")
    con.close()
