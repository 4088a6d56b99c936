"""A process of its own that appends: PLACE LABEL-HEX THREADS ENTRIES-PER-THREAD.

PLACE is the folder of a ledger in a file, or the URL of one in a database; it is made if missing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from threading import Lock, Thread

from tests.hub.ledger import factories
from tests.hub.ledger.factories import entry


def main(place: str, label: str, threads: str, count: str) -> None:
    """Append from several threads; print a line for each receipt."""
    printing = Lock()
    if place.startswith("postgresql:"):
        factories.KIND = factories.in_database(lambda _: place)
    with factories.open_ledger(Path(place)) as ledger:

        def work(thread: int) -> None:
            for number in range(int(count)):
                name = f"{thread}-{number}"
                receipt = ledger.append([entry(label=bytes.fromhex(label), request=name)])
                line = json.dumps({"index": receipt.index, "label": label, "request": name})
                with printing:
                    sys.stdout.write(line + "\n")
                    sys.stdout.flush()

        running = [Thread(target=work, args=(n,)) for n in range(int(threads))]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
