"""`python -m bench.peers [NAME…]`: make the environments of other engines, all unless named."""

from __future__ import annotations

import sys

from bench.peers import DECIDERS, ENGINES, LOGS, environment
from hub.errors import SourceError


def main(names: list[str]) -> int:
    """Make them; return 69 (EX_UNAVAILABLE) when one cannot be made, 64 for an unknown name."""
    engines = (*ENGINES, *DECIDERS, *LOGS)
    unknown = set(names) - {engine.folder for engine in engines}
    if unknown:
        print(f"no engine is called {', '.join(sorted(unknown))}", file=sys.stderr)
        return 64
    for engine in engines:
        if names and engine.folder not in names:
            continue
        try:
            environment(engine)
        except SourceError as exc:
            print("; ".join((exc.message, *exc.findings)), file=sys.stderr)
            return exc.exit_code
        print(f"{engine.title} {engine.version} is ready")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
