"""pymerkle's SQLite tree: one entry after the other, as its interface has it, each committed.

Run as `python peer.py JOB`; see the package this folder lies in for what a job of appends is.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from pymerkle import SqliteTree


def main(job: dict[str, Any]) -> dict[str, float]:
    """Append for a while."""
    data = os.urandom(job["bytes"])
    with SqliteTree(job["file"]) as tree:
        tree.append_entry(data)
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < job["seconds"]:
            tree.append_entry(data)
            count += 1
        return {"count": count, "seconds": time.perf_counter() - start}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))
