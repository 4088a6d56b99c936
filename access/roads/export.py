"""A file of persons: the granted columns of everybody in an area, for whom a grant was given.

The one road that shows more people than a ledger entry can name. Their file is sealed and their
tokens are durable before anything is recorded; then two entries are recorded together, what was
done and who is in it (`hub.ledger.bulk`); only then may the file be fetched. Wherever it is killed
in between, nobody was given a byte. A use of the grant may be spent; never the other way round.

A seal never covers it: a file cannot be kept from some of those who are in it.

Source: 政务数据共享条例 (sharing on application); 个人信息保护法 23, 55-56.
"""

from __future__ import annotations

import csv
import io
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from access import rendering
from access.answers import Answer, ExportAnswer, ExportQuery, Receipt
from access.asking import (
    Asked,
    Means,
    answer,
    ask,
    blocked_by,
    denied,
    reading,
    refusal_for,
    refused,
    shown,
    traits_about,
)
from access.bulks import Bulks
from access.disclosure import Part
from access.limits import Over
from access.model import CLEAR, HIDDEN, Action, Actor, Request
from access.ports import SnapshotReader
from access.recording import Prepared
from access.releasing import beside_of
from access.rendering import Rendered
from access.usage_record import Bulk
from hub.cells import plain
from hub.documents import unpack
from hub.errors import AccessDenied, RequestError, SourceError
from hub.identifiers import DivisionCode
from hub.ledger.bulk import BULK_ID_BYTES
from hub.sealing import PSEUDONYM_BYTES
from hub.store.exports import KEPT, ExportFile, Written

_ROWS_AT_ONCE = 500
_ROLE = "role"
_SEALED = (
    "该事项的使用已暂缓告知，不得提供文件 / uses for this case are sealed: no file is given for it",
    "请逐人查询，或待暂缓告知结束 / look people up one by one, or wait until the seal has ended",
)
_ELSEWHERE = (
    "超出您的辖区 / this is not within the area of your post",
    "请填写本辖区 / name an area within your own",
)
_NOBODY = (
    "没有可提供的人员 / there is nobody to be given a file of",
    "请核对数据集和辖区 / check dataset and area",
)


def prepare(means: Means, actor: Actor, query: ExportQuery) -> Prepared[ExportAnswer]:
    """Decide, make the file, and return it still locked.

    Raises:
        RequestError: when form, area or case are not well formed; nothing is to be recorded.
        SourceError, KeyMissing: when a document cannot be read or the file not be written; nothing
            is left then.
    """
    bulks = _bulks(means)
    if query.form not in FORMS:
        raise RequestError(f"文件格式 / a file is {' or '.join(FORMS)}")
    if any(DivisionCode.parse(code) is None for code in query.area):
        raise RequestError("辖区须为区划或网格代码 / an area is a division or grid code")
    acting = replace(actor, area=query.area or actor.area)
    request = Request(
        acting, Action.EXPORT, (query.dataset,), query.purpose, query.case, at=means.clock.now()
    )
    asked = ask(means, request, query.request_id)
    known_as = replace(asked.context.actor, area=actor.area)
    asked = replace(asked, context=replace(asked.context, actor=known_as))
    if not asked.decision.allowed:
        return _without_file(refused(means, asked))
    if actor.area and not all(code.startswith(actor.area) for code in acting.area):
        return _without_file(denied(means, asked, *_ELSEWHERE))
    if asked.context.seal is not None:
        return _without_file(denied(means, asked, *_SEALED))
    bulks.files.sweep(asked.time)
    snapshot = means.snapshots.current()
    asked = reading(means, asked, snapshot)
    making = _Making(means, asked, snapshot, query.form)
    bulk_id = secrets.token_bytes(BULK_ID_BYTES)
    try:
        return _made(bulks, making, bulk_id)
    except OSError as exc:
        _discard(bulks, bulk_id)
        raise SourceError("the file of persons could not be written: see the disk") from exc
    except BaseException:
        _discard(bulks, bulk_id)
        raise


def fetch(means: Means, actor: Actor, number: str) -> tuple[ExportFile, Iterator[bytes]]:
    """Return a file of the actor's own and its bytes, a piece at a time.

    Raises:
        NotFound: when there is none of that number that is the actor's, or it has expired.
        AccessDenied: when the actor may do nothing by now, or a grant was revoked.
        SourceError: when it cannot be read, also after some pieces.
    """
    account = means.keys.actor.of(actor.id).hex()
    file = _bulks(means).files.find(number, account, means.clock.now())
    if not means.seen_as(actor).active or blocked_by(means, actor, account) is not None:
        raise AccessDenied("该账号已停用 / the account may not be shown anything now")
    if any(means.force.granting.is_revoked(name) for name in file.grants):
        raise AccessDenied("授权已收回 / the grant was revoked")
    return file, _bulks(means).files.open(file)


def _bulks(means: Means) -> Bulks:
    if means.bulks is None:
        raise RequestError("此处不能提供文件 / files of persons are not given here")
    return means.bulks


def _made(bulks: Bulks, making: _Making, bulk_id: bytes) -> Prepared[ExportAnswer]:
    means = making.means
    written = bulks.files.write(bulk_id.hex(), making.pieces())
    asked = making.asked_by_now()
    if not making.rows:
        _discard(bulks, bulk_id)
        return _without_file(denied(means, asked, *_NOBODY))
    committed = bulks.tokens.commit(bulk_id, making.labels())
    said = Bulk(
        id=bulk_id,
        persons=committed.count,
        rows=making.rows,
        form=making.form,
        sha256=written.sha256,
        area=asked.actor.area,
    )
    told = shown(
        means, asked, Part(datasets=(making.dataset,), fields=dict(making.kinds), bulk=said)
    )

    def over(limit: Over) -> Prepared[ExportAnswer]:
        _discard(bulks, bulk_id)
        return _without_file(refusal_for(means, asked)(limit))

    return Prepared(
        records=(told,),
        complete=_completing(bulks, means, asked, said, written),
        over=over,
        commits=(committed.entry(asked.time),),
    )


def _completing(
    bulks: Bulks, means: Means, asked: Asked, said: Bulk, written: Written
) -> Callable[[Receipt], ExportAnswer]:
    whole = answer(asked, asked.decision.reason, "")

    def complete(receipt: Receipt) -> ExportAnswer:
        file = ExportFile(
            number=said.id.hex(),
            account=asked.context.actor.id,
            form=said.form,
            persons=said.persons,
            rows=said.rows,
            size_bytes=written.size_bytes,
            sha256=written.sha256,
            grants=asked.decision.grants,
            expires=means.clock.now() + KEPT,
        )
        bulks.files.offer(file)
        return ExportAnswer(whole(receipt), file)

    return complete


def _discard(bulks: Bulks, bulk_id: bytes) -> None:
    bulks.files.discard(bulk_id.hex())
    bulks.tokens.discard(bulk_id)


def _without_file(prepared: Prepared[Answer]) -> Prepared[ExportAnswer]:
    over = prepared.over
    return Prepared(
        records=prepared.records,
        complete=lambda receipt: ExportAnswer(prepared.complete(receipt), None),
        over=None if over is None else lambda limit: _without_file(over(limit)),
    )


class _Making:
    """A file on its way: counts, on being read, what is written and of whom."""

    def __init__(self, means: Means, asked: Asked, snapshot: SnapshotReader, form: str) -> None:
        self.means, self.asked, self.form = means, asked, form
        (self.dataset,) = asked.decision.datasets
        self.rows = 0
        self.kinds: dict[str, str] = {}  # "dataset.column" -> how, where it is shown clearest
        self._snapshot = snapshot
        self._people = bytearray()  # labels of all whom it says something of, end to end

    def asked_by_now(self) -> Asked:
        """Return the request at the time by which it is answered; entries stand in order of time."""
        context = replace(self.asked.context, time=self.means.clock.now())
        return replace(self.asked, context=context)

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes of the file."""
        form = FORMS[self.form](self._columns())
        yield form.head()
        waiting: list[tuple[str, dict[str, Any]]] = []
        for view in self._views():
            waiting += [(record.role, dict(record.values)) for record in view.records]
            if len(waiting) >= _ROWS_AT_ONCE:
                yield form.body(waiting)
                waiting = []
        yield form.body(waiting)

    def labels(self) -> Iterator[bytes]:
        """Yield the label of everybody in it; who stands in it twice comes twice."""
        for at in range(0, len(self._people), PSEUDONYM_BYTES):
            yield bytes(self._people[at : at + PSEUDONYM_BYTES])

    def _views(self) -> Iterator[Rendered]:
        """Yield what is shown of each person, in key order, and note it."""
        means, asked, area = self.means, self.asked, self.asked.actor.area
        withheld = beside_of(means, asked).withheld
        for key, sealed in self._snapshot.documents():
            document = unpack(means.keys.documents.open(sealed, key))
            if area and not rendering.in_area(document.get("area"), area):
                continue
            if asked.members is not None and means.keys.protected.of(key) not in asked.members:
                continue
            traits = traits_about(means, asked, key, document)
            view = rendering.render(document, asked.plan, area, traits)
            if not view.records:
                continue
            self.rows += len(view.records)
            self._people += means.keys.label.of(key)
            for party in view.beside:
                if party.role not in withheld:
                    self._beside(party.identifier_key)
            for name, how in view.fields.items():
                if self.kinds.get(name) != CLEAR:
                    self.kinds[name] = how
            yield view

    def _beside(self, identifier_key: bytes) -> None:
        """Note who is another party of a record: what is about the whole of it is theirs too."""
        key = self._snapshot.identity(identifier_key)
        if key is not None:
            self._people += self.means.keys.label.of(key)

    def _columns(self) -> tuple[str, ...]:
        """Return the columns that anybody's row may have, in the order of the catalogue."""
        decision = self.asked.decision
        views = (decision.fields, decision.elsewhere or {})
        return tuple(
            column.name
            for column in self.means.catalog[self.dataset].columns
            if any(view.get(f"{self.dataset}.{column.name}", HIDDEN) != HIDDEN for view in views)
        )


@dataclass(frozen=True, slots=True)
class _Csv:
    """RFC 4180, in UTF-8 with a byte order mark; no cell that a spreadsheet takes for a formula."""

    columns: tuple[str, ...]

    def head(self) -> bytes:
        return b"\xef\xbb\xbf" + self._lines([(_ROLE, *self.columns)])

    def body(self, rows: list[tuple[str, dict[str, Any]]]) -> bytes:
        return self._lines(
            [(role, *[plain(values.get(name)) for name in self.columns]) for role, values in rows]
        )

    @staticmethod
    def _lines(rows: list[tuple[str, ...]]) -> bytes:
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        return text.getvalue().encode()


@dataclass(frozen=True, slots=True)
class _JsonLines:
    """A JSON object a line, in UTF-8; what is not shown of a person is not there."""

    columns: tuple[str, ...]

    def head(self) -> bytes:
        return b""

    def body(self, rows: list[tuple[str, dict[str, Any]]]) -> bytes:
        said = ({_ROLE: role, **values} for role, values in rows)
        return "".join(
            [json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in said]
        ).encode()


#: Name of a form -> what writes it.
FORMS: dict[str, Callable[[tuple[str, ...]], _Csv | _JsonLines]] = {
    "csv": _Csv,
    "jsonl": _JsonLines,
}
#: Name of a form -> its media type.
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
