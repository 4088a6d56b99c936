"""The register of agencies: every department and body that owns data or has staff here.

Contracts name their owner by it and roles the agencies they exist in; it is part of the access
policy and lies in its folder. The package ships one; a folder of one's own replaces it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from hub.errors import PolicyError

FILE = "agencies.csv"
#: The register that comes with the product.
BUILT_IN = Path(__file__).with_name(FILE)
_HEADER = ["code", "title"]
_CODE = re.compile(r"[a-z][a-z0-9_]*")


def load_agencies(folder: Path | None = None) -> Mapping[str, str]:
    """Return code -> title of every agency.

    Args:
        folder: the policy folder; one without the file, or None, has the built-in register.

    Raises:
        PolicyError: when it cannot be read, or as `parse_agencies`.
    """
    own = BUILT_IN if folder is None else folder / FILE
    path = own if own.exists() else BUILT_IN
    try:
        return parse_agencies(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as exc:
        raise PolicyError(f"{FILE}: cannot be read as UTF-8 text") from exc


def parse_agencies(text: str) -> Mapping[str, str]:
    """Return code -> title of every agency of a text.

    Raises:
        PolicyError: every line that does not fit.
    """
    reader = csv.reader(StringIO(text, newline=""))
    if next(reader, []) != _HEADER:
        raise PolicyError(f"{FILE}:1: the first line must be {','.join(_HEADER)}")
    found: dict[str, str] = {}
    findings = []
    for cells in filter(None, reader):
        code, *title = cells
        if not _CODE.fullmatch(code) or len(title) != 1 or not title[0].strip():
            findings.append(f"{FILE}:{reader.line_num}: wanted a code in snake_case and a title")
        elif code in found:
            findings.append(f"{FILE}:{reader.line_num}: {code} is listed twice")
        else:
            found[code] = title[0].strip()
    if findings:
        raise PolicyError("the register of agencies does not fit", findings=tuple(findings))
    return found
