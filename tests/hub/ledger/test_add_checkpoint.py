"""Requests to a witness: the published dialogue, the document's own example, and malformed ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import RequestError
from hub.ledger.add_checkpoint import BODY_LIMIT, AddCheckpoint
from hub.ledger.lines import encode64
from hub.ledger.merkle import verify_consistency
from hub.ledger.note import Checkpoint, Note
from tests.hub.ledger.factories import vector

SIGSUM = vector("add_checkpoint_sigsum.json")
DOCUMENT = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
"""


@pytest.mark.parametrize("body", [DOCUMENT, *(step["body"] for step in SIGSUM["dialogue"])])
def test_published_requests_read_and_write_the_same(body: str) -> None:
    assert str(AddCheckpoint.parse(body.encode())) == body


def test_the_documents_example_has_too_few_hashes_for_its_sizes() -> None:
    """It shows the form only: from 20,852,014 to 20,852,163 a proof has more than four hashes."""
    request = AddCheckpoint.parse(DOCUMENT.encode())
    new = Checkpoint.parse(Note.parse(request.checkpoint).text)
    assert (request.old_size, len(request.proof), new.size) == (20852014, 4, 20852163)
    assert not verify_consistency(request.old_size, new.size, request.proof, new.root, new.root)


def test_the_dialogues_proofs_lead_from_one_tree_to_the_next() -> None:
    trees: dict[int, bytes] = {}
    for step in SIGSUM["dialogue"]:
        request = AddCheckpoint.parse(step["body"].encode())
        if step["status"] == 200:
            new = _tree(step)
            trees[new.size] = new.root
            if request.old_size:
                old = trees[request.old_size]
                assert verify_consistency(request.old_size, new.size, request.proof, old, new.root)
        if step["status"] == 422:
            new = _tree(step)
            old = trees[request.old_size]
            assert not verify_consistency(request.old_size, new.size, request.proof, old, new.root)
    assert sorted(trees) == [1, 3, 5]


def _tree(step: Any) -> Checkpoint:
    return Checkpoint.parse(Note.parse(AddCheckpoint.parse(step["body"].encode()).checkpoint).text)


HASH = encode64(bytes(32))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "no blank line"),
        (b"old 0\n", "no blank line"),
        (b"\n\n", "old size"),
        (b"new 0\n\nlog\n", "old size"),
        (b"old\n\nlog\n", "old size"),
        (b"old 00\n\nlog\n", "old size is not a plain"),
        (b"old -1\n\nlog\n", "old size is not a plain"),
        (b"old 1 \n\nlog\n", "old size is not a plain"),
        (b"old 1\r\n\nlog\n", "old size is not a plain"),
        (b"old 9223372036854775808\n\nlog\n", "old size is not a plain"),
        (b"old 0\nAAAA\n\nlog\n", "has 3 bytes"),
        (b"old 0\n????\n\nlog\n", "not base64"),
        (f"old 0\n{HASH[:-2]}B=\n\nlog\n".encode(), "canonical"),
        (f"old 0\n{HASH} \n\nlog\n".encode(), "not base64"),
        (f"old 0\n{f'{HASH}{chr(10)}' * 64}\nlog\n".encode(), "more than 63"),
        (b"old 0\n\n\xff\n", "UTF-8"),
        (b"old 0\n\n" + b"a" * BODY_LIMIT, "longer than"),
    ],
)
def test_malformed_requests_are_refused_by_the_line_that_is_wrong(
    body: bytes, problem: str
) -> None:
    with pytest.raises(RequestError, match=problem):
        AddCheckpoint.parse(body)


def test_sixty_three_hashes_are_accepted() -> None:
    body = f"old 5\n{f'{HASH}{chr(10)}' * 63}\nlog\n"
    assert len(AddCheckpoint.parse(body.encode()).proof) == 63


@given(st.binary(max_size=200))
def test_any_request_is_read_exactly_or_refused(body: bytes) -> None:
    for data in (body, b"old 3\n\n" + body):
        try:
            request = AddCheckpoint.parse(data)
        except RequestError:
            continue
        assert str(request).encode() == data
