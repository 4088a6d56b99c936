"""Policy files: the published examples' structure, who is enough, and every rule broken once."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import RequestError
from hub.keyring import Key, NoteSigner
from hub.ledger.algorithms import COSIGNATURE, ED25519, ML_DSA_44, SM2, Algorithm
from hub.ledger.merkle import EMPTY_ROOT
from hub.ledger.note import Checkpoint, Note, VerifierKey, sign_checkpoint
from hub.ledger.policy import Policy
from tests.hub.ledger.factories import ORIGIN, InventedSigner

ROOT = bytes(range(32))
TIME = 1_700_000_000
LOG = InventedSigner()
LOG_KEY = str(VerifierKey.of(LOG))


def witness(number: int, algorithm: Algorithm = COSIGNATURE) -> NoteSigner:
    key = Key("ledger", 1, "intl", bytes([number]) * 32)
    return NoteSigner(f"witness.example/w{number}", key, algorithm)


def key(number: int, algorithm: Algorithm = COSIGNATURE) -> str:
    return str(VerifierKey.of(witness(number, algorithm)))


def parse(text: str) -> Policy:
    return Policy.parse(text.encode(errors="surrogateescape"))


#: The example of tlog-policy, with keys.
EXAMPLE = f"""log {LOG_KEY}

witness X1 {key(1)}
witness X2 {key(2)}
witness X3 {key(3)}
group X-witnesses 2 X1 X2 X3

witness Y1 {key(4)}
witness Y2 {key(5)}
witness Y3 {key(6)}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""
NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")


def test_the_documents_example_with_every_set_of_witnesses() -> None:
    policy = parse(EXAMPLE)
    for count in range(7):
        for names in combinations(NAMES, count):
            enough = sum(n[0] == "X" for n in names) >= 2 and any(n[0] == "Y" for n in names)
            assert policy.is_quorum(set(names)) is enough, names


def test_the_structure_of_sigsums_published_policy_test() -> None:
    """Lines in any order, blanks and comments, a key that is a log's and a witness's."""
    shared = VerifierKey("both.example", LOG.public_key, COSIGNATURE)
    other = InventedSigner("other.example/log", "two")
    policy = parse(
        f"""
# example config
log {LOG_KEY} https://log.example
  # comment
witness W1 {key(1)} http://w1
witness\tW2  {shared}
witness W3 {key(3)} http://w3
witness W4 {key(4)} https://w4/
witness W5 {key(5, ML_DSA_44)} https://w5
 \t
group G1 any W1 W2
group G2 2 W3 W4 W5
group G3 all G1 G2

quorum G3

  log {VerifierKey.of(other)}\t
witness W6 {key(6)}
"""
    )
    assert [log.url for log in policy.logs] == ["https://log.example", None]
    urls = ["http://w1", None, "http://w3", "https://w4/", "https://w5", None]
    assert [w.url for w in policy.witnesses] == urls
    for names, enough in (
        ((), False),
        (("W1",), False),
        (("W3", "W4", "W5"), False),
        (("W1", "W2"), False),
        (("W1", "W3"), False),
        (("W1", "W3", "W4"), True),
        (("W2", "W3", "W5"), True),
        (("W6", "W3", "W4"), False),
    ):
        assert policy.is_quorum(set(names)) is enough, names


def test_none_asks_for_nobody() -> None:
    assert parse("quorum none\n").is_quorum(set())


def test_a_single_witness_may_be_the_quorum() -> None:
    policy = parse(f"witness W {key(1)}\nwitness V {key(2)}\nquorum W\n")
    assert policy.is_quorum({"W"})
    assert not policy.is_quorum({"V"})


def test_names_are_octets() -> None:
    """K and the Kelvin sign are two names; octets that are no UTF-8 are a name as well."""
    text = f"witness K {key(1)}\nwitness \u212a {key(2)}\nwitness \udcff {key(3)}\nquorum \udcff\n"
    policy = parse(text)
    assert not policy.is_quorum({"K", "\u212a"})
    assert policy.is_quorum({"\udcff"})


W = f"witness W {key(1)}\nwitness V {key(2)}\n"
MALFORMED = {
    "": "no quorum line",
    W: "no quorum line",
    "quorum none": "end in a newline",
    "# \x0c\nquorum none\n": "control character 0x0c",
    "# \x7f\nquorum none\n": "control character 0x7f",
    "quorum none\r\n": "control character 0x0d",
    "quorum none\nquorum none\n": "line 2 .* second quorum",
    "quorum none more\n": "line 1 .* one name",
    "quorum\n": "one name",
    "quorum W\n" + W: "line 1 .* 'W' is not defined above",
    "Quorum none\n": "does not begin with",
    "quorum # comment\n": "one name",
    f"log {LOG_KEY}\n log {LOG_KEY}\n": "line 2 .* has the key of another",
    f"log {LOG_KEY} http://log.example #comment\n": "nothing else",
    "log\n": "a log line",
    "log aaaa\n": "line 1",
    f"log {VerifierKey('x.example', LOG.public_key)}\nlog {LOG_KEY}\n": "key of another",
    f"{W}witness U {key(1)}\n": "line 3 .* has the key of another",
    f"{W}witness W {key(3)}\n": "line 3 .* 'W' is taken",
    f"witness none {key(1)}\n": "'none' is taken",
    f"witness {key(1)}\n": "a witness line",
    f"witness W {key(1)} http://w #comment\n": "nothing else",
    f"witness W {key(1, ED25519)}\n": "not one for cosignatures",
    f"witness W {key(1, SM2)}\n": "not one for cosignatures",
    f"witness W {key(1)[:-4]}\n": "line 1",
    f"{W}group none any W\n": "'none' is taken",
    f"{W}group W any V\n": "'W' is taken",
    f"{W}group G all W U V\n": "line 3 .* 'U' is not defined",
    f"{W}group G all G\n": "'G' is not defined",
    f"{W}group G all W V W\n": "'W' is a member of a group already",
    f"{W}group G any W\ngroup H all V W\n": "line 4 .* member of a group already",
    f"{W}group G all W none\n": "none cannot be a member",
    f"{W}group G any\n": "at least one member",
    f"{W}group G\n": "at least one member",
    f"{W}group G 0 W V\n": "neither any, all nor",
    f"{W}group G 3 W V\n": "number from 1 to 2",
    f"{W}group G -1 W V\n": "neither any, all nor",
    f"{W}group G 01 W V\n": "neither any, all nor",
    f"{W}group G one W V\n": "neither any, all nor",
    f"{W}group G {'9' * 5000} W V\n": "neither any, all nor",
    "#" * (1 << 20) + "\nquorum none\n": "longer than",
}


@pytest.mark.parametrize(("text", "problem"), MALFORMED.items(), ids=range(len(MALFORMED)))
def test_malformed_policies_are_refused_by_the_rule_they_break(text: str, problem: str) -> None:
    with pytest.raises(RequestError, match=problem):
        parse(text)


POLICY = parse(EXAMPLE)
CHECKPOINT = Checkpoint(ORIGIN, 9, ROOT)


def test_a_cosigned_checkpoint_is_judged() -> None:
    enough = sign_checkpoint(CHECKPOINT, LOG, witness(1), witness(3), witness(5), time=TIME)
    judgement = POLICY.require(enough)
    assert judgement.has_quorum
    assert judgement.checkpoint == CHECKPOINT
    assert judgement.log == VerifierKey.of(LOG)
    assert judgement.times == {"X1": TIME, "X3": TIME, "Y2": TIME}


def test_too_few_and_unknown_cosignatures_are_no_quorum() -> None:
    stranger = witness(9)
    few = sign_checkpoint(CHECKPOINT, LOG, witness(1), witness(5), stranger, time=TIME)
    assert POLICY.judge(few).times == {"X1": TIME, "Y2": TIME}
    with pytest.raises(RequestError, match="'X-and-Y' asks for"):
        POLICY.require(few)


def test_a_witness_that_signs_twice_counts_once() -> None:
    twice = sign_checkpoint(CHECKPOINT, LOG, witness(1), witness(1), witness(4), time=TIME)
    assert not POLICY.judge(twice).has_quorum


def test_cosignatures_of_both_kinds_count() -> None:
    policy = parse(
        f"log {LOG_KEY}\nwitness A {key(1)}\nwitness B {key(2, ML_DSA_44)}\n"
        "group G all A B\nquorum G\n"
    )
    signers = (LOG, witness(1), witness(2, ML_DSA_44))
    assert policy.require(sign_checkpoint(CHECKPOINT, *signers, time=TIME)).has_quorum


@pytest.mark.parametrize(
    ("note", "problem"),
    [
        ("words", "newline"),
        (sign_checkpoint(Checkpoint("other", 9, ROOT), LOG), "knows no log 'other'"),
        (sign_checkpoint(CHECKPOINT, witness(1), time=TIME), "not signed by its log"),
        (sign_checkpoint(CHECKPOINT, InventedSigner(seed="two")), "not signed by its log"),
        (sign_checkpoint(Checkpoint(ORIGIN, 0, ROOT), LOG), "empty tree"),
    ],
)
def test_notes_the_policy_cannot_judge(note: str, problem: str) -> None:
    with pytest.raises(RequestError, match=problem):
        POLICY.judge(note)


def test_an_empty_log_can_be_cosigned() -> None:
    empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert parse(f"log {LOG_KEY}\nquorum none\n").require(sign_checkpoint(empty, LOG)).has_quorum


def test_one_false_signature_under_a_known_key_refuses_the_note() -> None:
    other = Note.parse(sign_checkpoint(Checkpoint(ORIGIN, 8, ROOT), witness(2), time=TIME))
    good = Note.parse(sign_checkpoint(CHECKPOINT, LOG, witness(1), witness(4), time=TIME))
    forged = str(Note(good.text, good.signatures + other.signatures))
    with pytest.raises(RequestError, match=r"w2\+[0-9a-f]{8} is false"):
        POLICY.judge(forged)


@given(st.binary(max_size=100), st.integers(0, len(EXAMPLE)), st.integers(0, len(EXAMPLE)))
def test_any_policy_is_read_or_refused(piece: bytes, start: int, end: int) -> None:
    data = EXAMPLE.encode()
    try:
        policy = Policy.parse(data[:start] + piece + data[end:])
    except RequestError:
        return
    assert policy.quorum == "none" or policy.quorum


def test_what_is_published_decides_the_same_and_has_no_address() -> None:
    addressed = EXAMPLE.replace(key(1), f"{key(1)} https://w1.example").replace(
        LOG_KEY, f"{LOG_KEY} https://log.example"
    )
    shown = parse(addressed).published()
    assert b"https" not in shown
    assert Policy.parse(shown) == parse(EXAMPLE)
    assert parse("quorum none\n").published() == b"quorum none\n"
    odd = f"witness w\udcff {key(1)}\nquorum w\udcff\n"
    assert parse(odd).published() == odd.encode(errors="surrogateescape")


@pytest.mark.parametrize(
    ("groups", "numbers", "least"),
    [
        ("quorum none", (), 0),
        ("quorum a", (1,), 1),
        ("group g 2 a b c\nquorum g", (1, 2, 3), 2),
        ("group g any a b\ngroup h all g c\nquorum h", (1, 2, 3), 2),
        ("group g all a b\ngroup h any g c\nquorum h", (1, 2, 3), 1),
        ("group g any a q\nquorum g", (1,), 1),  # one witness by either of its keys
        ("group g all a q\nquorum g", (), 0),
        ("quorum q", (), 0),
    ],
)
def test_what_a_verifier_without_groups_can_ask(
    groups: str, numbers: tuple[int, ...], least: int
) -> None:
    lines = [f"witness {name} {key(n)}" for n, name in enumerate("abc", 1)]
    policy = parse("\n".join([*lines, f"witness q {key(1, ML_DSA_44)}", groups, ""]))
    keys, count = policy.plainly()
    assert [str(one) for one in keys] == [key(n) for n in numbers]
    assert count == least
    for size in range(4):
        for names in combinations("abc", size):
            if policy.quorum != "none" and keys and policy.is_quorum(set(names)):
                asked = {"abc"[n - 1] for n in numbers}
                assert len(asked & set(names)) >= least
