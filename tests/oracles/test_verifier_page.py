"""The verifier page judges every file as the Python verifier does: same verdict, field and words.

The page's script is run by Node.js (20 or newer), whose WebCrypto is a browser's; without it these
tests are skipped.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from hub.ledger import verify
from hub.ledger.verify import Report, ed25519_verify, ed25519_verify_plain, trust_of, verify_file
from tests.hub.ledger.factories import InventedSigner, vector
from tests.hub.ledger.invented_log import LOG_KEY, InventedLog, person
from tests.hub.ledger.test_verify import judged
from tests.hub.ledger.verifier_cases import Case, encoded, refused_cases, sound, sound_cases

NODE = shutil.which("node")
PAGE = Path(verify.__file__).with_name("verifier.html")
RUNNER = Path(__file__).with_name("verifier_page.mjs")

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(NODE is None, reason="needs Node.js"),
]


def asked(
    cases: Sequence[Mapping[str, Any]] = (), signatures: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    """Return what the page's script says."""
    done = subprocess.run(
        [str(NODE), str(RUNNER), str(PAGE)],
        input=json.dumps({"cases": list(cases), "signatures": list(signatures)}),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def put(case: Case, kept: bytes | None = None, growth: bytes | None = None) -> dict[str, Any]:
    return {
        "data": encoded(case.data),
        "keys": case.keys,
        "witnesses": case.witnesses,
        "quorum": case.quorum,
        "kept": None if kept is None else encoded(kept),
        "growth": None if growth is None else encoded(growth),
    }


def plain(report: Report) -> Any:
    return json.loads(json.dumps(asdict(report)))


def test_both_verifiers_say_the_same_of_every_file() -> None:
    cases = [*sound_cases(), *refused_cases()]
    ours = [plain(judged(case)) for case in cases]
    theirs = asked([put(case) for case in cases])["reports"]
    differing = [
        (case.name, one, other)
        for case, one, other in zip(cases, ours, theirs, strict=True)
        if one != other
    ]
    assert differing == []
    counted = Counter(report["valid"] for report in theirs)
    assert counted[True] == len(list(sound_cases()))
    assert counted[False] > 6000
    assert len({(report["where"], report["why"]) for report in theirs}) > 100


def growths(folder: Path) -> Iterator[tuple[Case, bytes | None, bytes | None]]:
    log = InventedLog(folder)
    for n in range(40):
        log.add(person(n), "officer:subject:disclosed")
    for new in range(0, 41, 3):
        for old in range(0, 41, 4):
            if old > new:
                yield case_of(log, new), log.note(old).encode(), b'{"hashes":[]}'
                continue
            hashes = [value.hex() for value in log.consistency(old, new)]
            for given in (hashes, hashes[1:], hashes[::-1], [*hashes, "00" * 32]):
                growth = json.dumps({"hashes": given}).encode()
                yield case_of(log, new), log.note(old).encode(), growth
    for kept, growth in (
        (None, b"{}"),
        (log.note(4).encode(), None),
        (b"words", b"{}"),
        (b"\xff", b"{}"),
        (b"{}", b"{}"),
        (sound().proof, b"{}"),
        (log.note(4).encode(), b"\xff"),
        (sound().checkpoint, b"{}"),
        (log.note(4).encode(), b"words"),
        (log.note(4).encode(), b"{}"),
        (log.note(4).encode(), b'{"hashes":["00"]}'),
        (log.note(4).encode(), b'{"hashes":[1]}'),
        (log.note(4).encode(), b'{"hashes":{}}'),
    ):
        yield case_of(log, 9), kept, growth


def case_of(log: InventedLog, size: int) -> Case:
    return Case("", log.note(size).encode(), witnesses=())


def test_both_verifiers_say_the_same_of_growth(tmp_path: Path) -> None:
    given = list(growths(tmp_path))
    trust = trust_of([LOG_KEY])
    ours = [plain(verify_file(case.data, trust, kept, growth)) for case, kept, growth in given]
    theirs = asked([put(*one) for one in given])["reports"]
    assert theirs == ours
    assert 50 < sum(report["valid"] for report in theirs) < len(theirs) - 50


def test_ed25519_of_the_browser_and_in_plain_script_agree_with_both_of_ours() -> None:
    signer = InventedSigner()
    triples = [
        tuple(bytes.fromhex(case[name]) for name in ("public_key", "message", "signature"))
        for case in vector("ed25519_rfc8032.json")["vectors"]
    ]
    triples += [(signer.public_key, b"%d" % n, signer.sign(b"%d" % n)) for n in range(8)]
    wrong = []
    for key, message, signature in triples:
        wrong.append((key, message + b"x", signature))
        wrong.append((key, message, signature[:-1]))
        wrong.append((key[:-1], message, signature))
        wrong.append((key, message, bytes(64)))
        for at in (0, 31, 32, 62):
            changed = signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :]
            wrong.append((key, message, changed))
    order = 2**252 + 27742317777372353535851937790883648493
    key, message, signature = triples[-1]
    raised = int.from_bytes(signature[32:], "little") + order
    wrong.append((key, message, signature[:32] + raised.to_bytes(32, "little")))
    wrong += [(point, message, signature) for point in (b"\xff" * 32, b"\x02" + bytes(31))]
    names = ("key", "message", "signature")
    said = asked(
        signatures=[dict(zip(names, map(encoded, one), strict=True)) for one in (*triples, *wrong)]
    )["verified"]
    for one, verdicts in zip((*triples, *wrong), said, strict=True):
        expected = ed25519_verify(*one)
        assert verdicts == [expected, expected], one
        assert ed25519_verify_plain(*one) is expected
    assert [all(verdicts) for verdicts in said] == [True] * len(triples) + [False] * len(wrong)
