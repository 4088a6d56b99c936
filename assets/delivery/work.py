"""Short-lived clear files: one private folder per use, gone afterwards, swept after a crash."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.config import Settings
from hub.quoting import literal
from hub.store import lake

_PREFIX = "parse-"


@contextmanager
def work_folder(settings: Settings) -> Iterator[Path]:
    """Yield a new folder of mode 0700 that is removed with everything in it."""
    settings.work.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.work.chmod(0o700)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=settings.work))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(settings: Settings) -> int:
    """Remove what a killed run has left in work and landing; return how many things.

    Call it only while holding the run lock: of parsing and landing it does not ask whether
    anybody is at work. Spilled data goes when its process has ended.
    """
    left = [
        *settings.work.glob(f"{_PREFIX}*"),
        *settings.landing.glob(".*.part"),
        *lake.abandoned_spills(settings),
    ]
    for path in left:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(left)


def sql_path(path: Path) -> str:
    """Return a path as an SQL literal that names this one file and is no pattern."""
    return literal(re.sub(r"([\[*?])", r"[\1]", str(path)))
