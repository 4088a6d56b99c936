"""One check in a process of its own: `python -m bench.check_child FILE HOME`.

Prints a JSON object: the failing keys fetched, and the peak of this process's resident memory.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.check import ours
from bench.memory import own_peak_bytes
from bench.residents import contract
from contracts.codes import load_code_sets


def main(file: str, home: str) -> None:
    """Check the file and print."""
    keys = ours(Path(file), contract(), load_code_sets(), Path(home))
    print(json.dumps({"keys": keys, "peak_bytes": own_peak_bytes()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
