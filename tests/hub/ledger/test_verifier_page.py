"""The verifier page as a file: alone, closed to the network, and no script in it but its own.

That it judges as the Python verifier does is for Node.js to show (`tests/oracles`).
"""

from __future__ import annotations

import base64
import csv
import re
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from access.files import POLICY_FOLDER
from access.usage_record import UsageAction
from hub import agencies
from hub.ledger import verify

PAGE = Path(verify.__file__).with_name("verifier.html").read_text(encoding="utf-8")


def policy() -> dict[str, str]:
    (content,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', PAGE)
    return dict(directive.split(" ", 1) for directive in content.split("; "))


@pytest.mark.parametrize("tag", ["script", "style"])
def test_only_the_pages_own_script_and_style_may_run(tag: str) -> None:
    (inner,) = re.findall(rf"<{tag}>(.*?)</{tag}>", PAGE, re.DOTALL)
    digest = base64.b64encode(sha256(inner.encode()).digest()).decode()
    assert policy()[f"{tag}-src"] == f"'sha256-{digest}'"
    assert PAGE.count(f"<{tag}") == 1


def test_nothing_is_loaded_sent_or_framed() -> None:
    assert policy()["default-src"] == "'none'"
    assert policy()["base-uri"] == policy()["form-action"] == "'none'"
    assert set(policy()) == {
        "default-src",
        "script-src",
        "style-src",
        "img-src",
        "base-uri",
        "form-action",
    }
    assert policy()["img-src"] == "data:"
    assert not re.search(r"https?://|//[a-z]+\.|\bsrc=|@import|url\(", PAGE.replace("// ", ""))


@pytest.mark.parametrize(
    "dangerous",
    ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(",
     "fetch(", "XMLHttpRequest", "WebSocket", "localStorage", "sessionStorage", "indexedDB",
     "cookie", "import(", "onclick", "javascript:"],
)  # fmt: skip
def test_what_a_file_says_is_never_markup_or_code_and_goes_nowhere(dangerous: str) -> None:
    assert dangerous not in PAGE


def test_every_refusal_is_in_both_languages() -> None:
    refusals = re.findall(r'(?:refuse|unusable)\((?:[^"`()]|\([^)]*\)|"[^"]*"|`[^`]*`)*\)', PAGE)
    assert len(refusals) > 50
    for refusal in refusals:
        if "error.zh" not in refusal and "(where, why, zh)" not in refusal:
            assert re.search(r"[\u4e00-\u9fff]", refusal), refusal


def test_both_verifiers_speak_of_the_same_formats() -> None:
    for words in (verify.PROOF, verify.STATEMENT, verify.INDEX_EVENT, verify.BULK_EVENT):
        assert f'"{words}"' in PAGE


def words(name: str) -> dict[str, str]:
    (found,) = re.findall(rf"const {name} = \{{(.*?)\n\}};", PAGE, re.DOTALL)
    return dict(re.findall(r'"?([\w.]+)"?: "([^"]+)"', found))


def test_every_action_purpose_and_agency_has_its_word() -> None:
    assert set(words("ACTIONS")) == {action.value for action in UsageAction}
    purposes = yaml.safe_load((POLICY_FOLDER / "purposes.yaml").read_text(encoding="utf-8"))
    assert words("PURPOSES") == {code: one["title"] for code, one in purposes.items()}
    with agencies.BUILT_IN.open(encoding="utf-8", newline="") as file:
        titles = {row["code"]: row["title"] for row in csv.DictReader(file)}
    assert words("AGENCIES") == titles


def test_the_agency_is_that_of_the_actor() -> None:
    assert 'agency = saidOf(actor, "agency"), post = saidOf(actor, "post")' in PAGE
    assert 'cell(who, "部门")' in PAGE


def test_what_cannot_be_checked_is_not_shown_as_false() -> None:
    assert 'report.valid ? "good" : report.usable ? "bad" : "warn"' in PAGE
    assert 'valid: false, usable: false, where: "page"' in PAGE
