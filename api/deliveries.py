"""Batches as bodies, and the HTTPS push into the drop folder.

A partner sees its own batches and nobody else's; the data bureau's steward sees all of them, but
no feedback file: row numbers and reasons are the partner's own business.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

import anyio.from_thread
import anyio.to_thread
from starlette.exceptions import HTTPException

from access.model import Actor
from api.outcome import Outcome
from api.scoreboard import STATUS_TITLES
from api.services import Services
from contracts.accuracy.measures import cut_percent
from hub.errors import AccessDenied, NotFound, RequestError
from hub.store.batches import Batch, BatchStatus, Verdict
from hub.store.drop import Promises, deliver

MAX_DELIVERY_BYTES = 4 << 30

_PARTNER_ROLE = "department_steward"
_BUREAU_ROLE = "data_steward"
_FILE_NAME = re.compile(r"[\w][\w .()-]{0,99}")
_NEXT = {
    BatchStatus.LANDED: "等待核查。 / Waiting to be checked.",
    BatchStatus.CHECKED: "核查通过，等待入库。 / Passed; waiting to be loaded.",
    BatchStatus.STOPPED: (
        "请按反馈文件逐行修改后重新报送；此前发布的数据继续使用。 / "
        "Mend the rows in the feedback file and send again; what was published before stays."
    ),
    BatchStatus.REFUSED: (
        "整批退回：请按原因修改文件后重新报送。 / "
        "Refused whole: mend the file as the reason says and send it again."
    ),
    BatchStatus.LOADED: "已入库，等待发布。 / Loaded; waiting to be published.",
    BatchStatus.PUBLISHED: (
        "已发布；未通过的行请按反馈文件更正，随下一批报送。 / "
        "Published; mend the rows that failed and send them with the next batch."
    ),
}


def partner_of(actor: Actor) -> str | None:
    """Return whose batches an actor sees: one partner's, or None for all.

    Raises:
        AccessDenied: when the actor is neither a partner's steward nor the bureau's.
    """
    if actor.active and _PARTNER_ROLE in actor.roles:
        return actor.agency
    if actor.active and _BUREAU_ROLE in actor.roles:
        return None
    raise AccessDenied(
        "只有报送部门和数据局管理员可以查看批次。 / Batches are for partners' stewards."
    )


def batches(services: Services, actor: Actor, limit: int) -> Outcome:
    """Return the batches an actor sees, newest delivery first."""
    partner = partner_of(actor)
    found = (
        services.records.batches(limit)
        if partner is None
        else services.records.batches_of(partner, limit)
    )
    return Outcome(200, {"batches": [_summary(batch, services) for batch in found]})


def batch(services: Services, actor: Actor, batch_id: str) -> Outcome:
    """Return one batch with its verdict, rule by rule, worst first.

    Raises:
        NotFound: when there is none, or it is another partner's.
    """
    found = _visible(services, actor, batch_id)
    verdict = services.records.verdict(found.id)
    own = partner_of(actor) == found.partner
    return Outcome(
        200,
        {
            **_summary(found, services),
            "next": _NEXT[found.status],
            "checks": _checks(verdict),
            "changes": _changes(verdict, found, services),
            "feedback": (
                f"/v1/partner/batches/{found.id}/feedback"
                if own and _feedback_path(services, found).is_file()
                else None
            ),
        },
    )


def feedback(services: Services, actor: Actor, batch_id: str) -> Path:
    """Return the feedback file of an own batch.

    Raises:
        NotFound: when there is none, or the batch is another partner's.
    """
    found = _visible(services, actor, batch_id)
    path = _feedback_path(services, found)
    if partner_of(actor) != found.partner or not path.is_file():
        raise NotFound("这一批没有反馈文件。 / This batch has no feedback file for you.")
    return path


async def push(
    services: Services,
    actor: Actor,
    dataset: str,
    name: str,
    stream: AsyncIterator[bytes],
    headers: dict[str, str],
) -> Outcome:
    """Take a file into the drop folder, whole or not at all.

    Args:
        stream: the body; read no further than `MAX_DELIVERY_BYTES`.
        headers: `content-digest` (RFC 9530) and `period`, where the partner gives them.

    Raises:
        AccessDenied: when the dataset is not the actor's own.
        RequestError: when name or digest does not fit; nothing is left behind.
    """
    _require_owner(services, actor, dataset)
    if not _FILE_NAME.fullmatch(name):
        raise RequestError("文件名请只用文字、数字和 . - _ ( )。 / The file needs a plain name.")
    promises: Promises = {}
    if "period" in headers:
        promises["period"] = headers["period"]
    if "content-digest" in headers:
        promises["sha256"] = _promised(headers["content-digest"])
    reader = _Upload(stream)
    put = partial(
        deliver,
        cast("BinaryIO", reader),
        name=name,
        partner=actor.agency,
        dataset=dataset,
        settings=services.settings,
        **promises,
    )
    path = await anyio.to_thread.run_sync(put)
    return Outcome(
        202,
        {
            "dataset": dataset,
            "file": path.name,
            "size_bytes": reader.size_bytes,
            "sha256": reader.sha256,
            "next": "文件已收到，等待核查。 / Taken; it will be checked by the next run.",
        },
    )


class _Upload:
    """The body of a request as a file that a worker thread reads."""

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self._rest = b""
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def read(self, size: int = -1) -> bytes:
        chunk = self._rest or anyio.from_thread.run(self._next)
        if size < 0 or size >= len(chunk):
            self._rest = b""
        else:
            chunk, self._rest = chunk[:size], chunk[size:]
        self.size_bytes += len(chunk)
        if self.size_bytes > MAX_DELIVERY_BYTES:
            raise HTTPException(413)
        self._digest.update(chunk)
        return chunk

    async def _next(self) -> bytes:
        async for chunk in self._stream:
            if chunk:
                return chunk
        return b""


def _require_owner(services: Services, actor: Actor, dataset: str) -> None:
    held = services.vocabulary.dataset(dataset)
    if _PARTNER_ROLE not in actor.roles or not actor.active:
        raise AccessDenied("只有报送部门可以报送数据。 / Only a partner's steward delivers.")
    if held is None or held.owner != actor.agency:
        raise AccessDenied(
            "本部门不报送这类数据。 / Your department does not deliver this dataset."
        )


def _promised(header: str) -> str:
    """Return the SHA-256 of a Content-Digest header as hexadecimal digits."""
    found = re.fullmatch(r"sha-256=:([A-Za-z0-9+/=]{44}):", header.strip())
    try:
        digest = base64.b64decode(found.group(1), validate=True) if found else b""
    except binascii.Error:
        digest = b""
    if len(digest) != 32:
        raise RequestError("Content-Digest: send `sha-256=:BASE64:` (RFC 9530)")
    return digest.hex()


def _visible(services: Services, actor: Actor, batch_id: str) -> Batch:
    partner = partner_of(actor)
    found = services.records.batch(batch_id)
    if partner is not None and found.partner != partner:
        raise NotFound("no such batch: `hub status` lists them")  # as if it did not exist
    return found


def _feedback_path(services: Services, found: Batch) -> Path:
    return services.settings.feedback / found.partner / f"{found.id}.csv"


def _summary(found: Batch, services: Services) -> dict[str, Any]:
    return {
        "id": found.id,
        "dataset": found.dataset,
        "title": services.vocabulary.dataset_title(found.dataset),
        "partner": found.partner,
        "partner_title": services.vocabulary.agency(found.partner),
        "period": found.period,
        "file_name": found.file_name,
        "size_bytes": found.size_bytes,
        "sha256": found.sha256,
        "status": found.status.value,
        "status_title": STATUS_TITLES[found.status],
        "reason": found.reason,
        "rows": found.rows,
        "accepted": found.accepted,
        "quarantined": found.quarantined,
        "key_accuracy": cut_percent(found.key_accuracy, 4),
        "overall": cut_percent(found.overall, 4),
        "delivered_at": found.delivered_at,
        "checked_at": found.checked_at,
        "published_at": found.published_at,
    }


def _checks(verdict: Verdict | None) -> list[dict[str, Any]]:
    rows = sorted(verdict.checks if verdict else (), key=lambda c: (-c.failing, c.rule))
    return [
        {
            "rule": check.rule,
            "title": check.title,
            "columns": check.columns,
            "severity": check.severity,
            "dimension": check.dimension,
            "failing": check.failing,
            "evaluated": check.evaluated,
            "failing_percent": (
                round(100 * check.failing / check.evaluated, 2) if check.evaluated else None
            ),
            "remedy": check.remedy,
        }
        for check in rows
    ]


def _changes(verdict: Verdict | None, found: Batch, services: Services) -> list[dict[str, Any]]:
    return [
        {
            "column": change.column,
            "title": services.vocabulary.column_title(found.dataset, change.column),
            "transform": change.transform,
            "count": change.count,
        }
        for change in (verdict.changes if verdict else ())
    ]
