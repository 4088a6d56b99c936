"""The ledger's public files, as any web server or mirror serves the same folder.

Source: C2SP tlog-tiles (paths, media types, caching).
"""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from api.dependencies import CurrentServices
from api.wire.base import problems
from hub.errors import NotFound, RequestError
from hub.ledger.cosigning import policy_of
from hub.ledger.public_files import CHECKPOINT, KEYS, PublicFiles
from hub.ledger.tiles import Tile

router = APIRouter(prefix="/ledger", tags=["public"])

_INDEX = re.compile(r"index/(?:opening/)?((?:x[0-9]{3}/){0,6}[0-9]{3}(?:\.p/[1-9][0-9]{0,2})?)")
WITNESSES = "witnesses"  # of the hub's settings, not of the folder: it does not follow from the log
_FOREVER = "public, max-age=31536000, immutable"
_BINARY: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file; `checkpoint`, `keys` and `witnesses` are text.",
        "content": {"application/octet-stream": {"schema": {"type": "string"}, "example": "…"}},
    }
}


@router.get("/{path:path}", response_class=Response, responses={**_BINARY, **problems(404, 422)})
def public_file(path: str, services: CurrentServices) -> Response:
    """Return `checkpoint`, `keys`, `witnesses`, a tile, a bundle, one of the index, or an opening.

    `witnesses` is the policy that checkpoints are cosigned under (C2SP tlog-policy), no addresses.
    """
    media_type, caching = _kind_of(path)
    if path == WITNESSES:
        policy = policy_of(services.settings.witness_policy)
        data = None if policy is None else policy.published()
    else:
        data = PublicFiles(services.settings.ledger_public).read(path)
    if data is None:
        raise NotFound("the ledger has no such public file")
    return Response(data, media_type=media_type, headers={"Cache-Control": caching})


def _kind_of(path: str) -> tuple[str, str]:
    """Return media type and caching of a public file.

    Raises:
        NotFound: when no public file is called so, whatever lies in the folder.
    """
    if path in (CHECKPOINT, KEYS, WITNESSES):
        return "text/plain; charset=utf-8", "no-cache"
    if path.startswith("index/opening/") and _INDEX.fullmatch(path):
        return "application/json", _FOREVER
    bundle = _INDEX.fullmatch(path)
    try:
        Tile.parse(f"tile/entries/{bundle[1]}" if bundle else path)
    except RequestError:
        raise NotFound("the ledger has no such public file") from None
    return "application/octet-stream", _FOREVER
