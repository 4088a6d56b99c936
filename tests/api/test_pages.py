"""The pages: same content as the API, no other site, no script, nothing personal in an address."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from access.masking import masks_of
from api.dependencies import COOKIE
from api.pages.rendering import FOLDER, TREATMENTS
from api.pages.statistics import SUPPRESSED
from tests.api.hub import CASE, CLOCK, EAST, ORIGIN, WEST, Client, TinyHub

PUBLIC = ["/", "/board", "/problems", "/reference", "/demo/sign-in"]
FORM = {
    "by": "resident_id",
    "value": EAST.number,
    "purpose": "residence.verify",
    "case": CASE,
    "birth_date": "",
}


@pytest.fixture
def officer(hub: TinyHub) -> Iterator[Client]:
    browser = hub.browser("officer.east")
    yield browser
    browser.close()


@pytest.fixture
def citizen(hub: TinyHub) -> Iterator[Client]:
    browser = hub.browser("citizen", EAST.number)
    yield browser
    browser.close()


class Outline(HTMLParser):
    """What matters of a page: tags with attributes, ids, labels."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.bare: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "label":
            self._open.append(tag)
        if tag == "input" and not self._open:
            self.bare.append(dict(attrs).get("id") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self._open.pop()

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def card_of(hub: TinyHub) -> str:
    (card,) = hub.services.cards.cards(hub.services.clock.now())
    return card.id


def pages_of(hub: TinyHub) -> Iterator[str]:
    anyone = hub.client()
    for path in PUBLIC:
        yield anyone.get(path, headers={"accept": "text/html"}).text
    anyone.close()
    for actor, path, number in (
        ("officer.east", "/officer", None),
        ("analyst", "/statistics?dataset=police.case&by=community,month", None),
        ("citizen", "/citizen", EAST.number),
        ("partner.housing", "/partner", None),
        ("steward", "/partner", None),
        ("partner.housing", "/partner/cards", None),
        ("partner.housing", f"/partner/cards/{card_of(hub)}", None),
        ("partner.housing", "/partner/worklist", None),
        ("steward", "/partner/worklist", None),
        ("partner.population", "/partner/samples", None),
    ):
        browser = hub.browser(actor, number)
        yield browser.get(path).text
        browser.close()
    browser = hub.browser("officer.east")
    yield browser.post("/officer", data=FORM).text
    browser.close()


def test_pages_load_nothing_from_elsewhere_and_run_nothing(hub: TinyHub) -> None:
    for text in pages_of(hub):
        outline = Outline(text)
        assert not outline.all("script")
        assert not [
            a for _, a in outline.tags if any(k.startswith("on") or k == "style" for k in a)
        ]
        for attrs in (a for _, a in outline.tags):
            for name in ("src", "href", "action"):
                assert (attrs.get(name) or "/").startswith(("/", "#"))


def test_pages_can_be_read_by_anyone(hub: TinyHub) -> None:
    for text in pages_of(hub):
        outline = Outline(text)
        assert outline.all("html")[0]["lang"] == "zh-CN"
        assert len(outline.all("h1")) == 1
        assert "skip" in str(outline.all("a")[0])
        labelled = {attrs.get("for") for attrs in outline.all("label")}
        hidden = {a.get("id") or "" for a in outline.all("input") if a.get("type") == "hidden"}
        assert set(outline.bare) - hidden <= labelled | {""}
        for attrs in outline.all("select"):
            assert attrs["id"] in labelled


def test_forms_with_personal_data_are_posted(hub: TinyHub) -> None:
    for text in pages_of(hub):
        for attrs in Outline(text).all("form"):
            assert attrs.get("method") == "post" or attrs["action"] == "/statistics"


def test_large_text_and_contrast_are_a_choice(hub: TinyHub, client: Client) -> None:
    headers = {"accept": "text/html", "origin": ORIGIN}
    assert 'data-look="normal"' in client.get("/", headers=headers).text
    client.post("/preferences", data={"look": "large"}, headers=headers)
    assert 'data-look="large"' in client.get("/", headers=headers).text
    client.post("/preferences", data={"look": '"><script>'}, headers=headers)
    assert 'data-look="normal"' in client.get("/", headers=headers).text


def test_text_and_targets_are_large_enough() -> None:
    style = (FOLDER / "static" / "mingjing.css").read_text()
    assert "--size: 18px" in style
    assert re.search(r"button, \.button \{[^}]*min-height: 44px", style)
    assert 'button [lang="en"], .button [lang="en"] { color: inherit; }' in style


def test_every_mask_is_told_in_words() -> None:
    assert set(TREATMENTS) == set(masks_of(CLOCK.now().date(), "a", "p", lambda value: value))


def test_html_and_json_agree_on_a_lookup(hub: TinyHub, officer: Client, client: Client) -> None:
    reply = officer.post("/officer", data=FORM)
    assert reply.status_code == 200
    asked = {key: text for key, text in FORM.items() if text}
    body = client.post("/v1/officer/lookup", json=asked, headers=hub.bearer("officer.east")).json()
    for cell in body["subjects"][0]["fields"]:
        assert cell["title"] in reply.text
        assert str(cell["value"]) in reply.text
    assert "部分遮盖" in reply.text
    assert EAST.birth_date not in reply.text


def test_a_refusal_on_the_page_says_why_and_has_a_receipt(hub: TinyHub) -> None:
    browser = hub.browser("analyst")
    reply = browser.post("/officer", data=FORM)
    assert reply.status_code == 403
    assert "怎么办" in reply.text
    assert "回执" in reply.text
    assert "没有可用的事由" in reply.text
    browser.close()


def test_another_area_looks_like_nobody(officer: Client) -> None:
    reply = officer.post("/officer", data={**FORM, "value": WEST.number})
    assert reply.status_code in (403, 404)
    assert WEST.name not in reply.text


@pytest.mark.parametrize(
    "change", [{"value": "123"}, {"by": "nothing"}, {"purpose": ""}, {"case": "x" * 300}]
)
def test_a_form_that_does_not_fit_comes_back_with_the_reason(
    officer: Client, change: dict[str, str]
) -> None:
    reply = officer.post("/officer", data={**FORM, **change})
    assert reply.status_code in (400, 422)
    assert "请修改后重试" in reply.text
    assert "<form" in reply.text


def test_a_search_leads_to_the_person(officer: Client) -> None:
    found = officer.post("/officer", data={**FORM, "by": "phone", "value": EAST.phone})
    assert found.status_code == 200
    handle = re.search(r'name="value" value="([0-9a-f]{40,})"', found.text)
    assert handle
    shown = officer.post("/officer", data={**FORM, "by": "handle", "value": handle.group(1)})
    assert shown.status_code == 200
    assert EAST.name in shown.text


def test_the_citizen_sees_holdings_uses_and_how_to_check(
    hub: TinyHub, officer: Client, citizen: Client
) -> None:
    officer.post("/officer", data=FORM)
    hub.publish()
    text = citizen.get("/citizen").text
    assert "居住核实" in text
    assert EAST.number in text
    assert "几秒后" in text  # opening the page is a use as well, not public yet
    hub.publish()
    text = citizen.get("/citizen").text
    proof = re.search(r'href="(/citizen/uses/\d+/proof)"', text)
    assert proof
    assert citizen.get(proof.group(1)).text.startswith("c2sp.org/tlog-proof@v1\n")
    assert citizen.get("/citizen/statement").json()["format"] == "mingjing-statement-1"
    assert "python3 verify.py" in text


def test_the_partner_reads_reasons_and_takes_the_feedback(hub: TinyHub) -> None:
    browser = hub.browser("partner.housing")
    listed = browser.get("/partner").text
    path = re.search(r'href="(/partner/batches/[^"]+)"', listed)
    assert path
    assert "低于 97 %" in browser.get(path.group(1)).text
    assert "17,tenant_id" in browser.get(f"{path.group(1)}/feedback").text
    browser.close()


def test_months_stand_across(hub: TinyHub) -> None:
    browser = hub.browser("analyst")
    text = browser.get("/statistics?dataset=police.case&by=community,month").text
    assert '<th scope="col" class="n">2026-02</th>' in text
    assert text.count(f">{SUPPRESSED}<") == 4
    assert "取整为 10 的倍数" in text
    assert "小于 10 的数" in text
    assert "东门社区（990106001001）" in text
    browser.close()


@pytest.mark.parametrize(
    "path",
    [
        "/officer",
        "/citizen",
        "/statistics",
        "/partner",
        "/partner/cards",
        "/partner/worklist",
        "/partner/samples",
        "/partner/cards/0123456789abcdef",
    ],
)
def test_a_page_about_somebody_wants_a_session(client: Client, path: str) -> None:
    reply = client.get(path, headers={"accept": "text/html"})
    assert reply.status_code == 401
    assert "/demo/sign-in" in reply.text


def test_a_bearer_token_is_no_way_into_the_pages(hub: TinyHub, client: Client) -> None:
    assert client.get("/officer", headers=hub.bearer("officer.east")).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
        {"origin": ORIGIN, "sec-fetch-site": "same-site"},
        {"origin": ORIGIN, "sec-fetch-site": "none"},
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        "/officer",
        "/sign-out",
        "/preferences",
        "/demo/sign-in",
        "/partner/cards/0123456789abcdef/acknowledge",
        "/partner/worklist/export",
        "/partner/worklist/return",
        "/partner/samples",
        "/partner/samples/return",
    ],
)
def test_a_form_of_another_site_is_refused(
    hub: TinyHub, officer: Client, path: str, headers: dict[str, str]
) -> None:
    before = hub.services.ledger.size
    officer.http.headers.pop("origin")
    data = {**FORM, "look": "large", "actor": "analyst"}
    reply = officer.post(path, data=data, headers={"accept": "text/html", **headers})
    assert reply.status_code == 403
    assert hub.services.ledger.size == before


def test_the_session_cookie_is_out_of_reach(hub: TinyHub, client: Client) -> None:
    reply = client.post("/demo/sign-in", data={"actor": "analyst"}, headers={"origin": ORIGIN})
    cookie = reply.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    client.post("/sign-out", headers={"origin": ORIGIN})
    assert COOKIE not in client.http.cookies


def test_a_changed_cookie_is_nobody(client: Client) -> None:
    client.http.cookies.set(COOKIE, "a.b.c")
    assert client.get("/officer", headers={"accept": "text/html"}).status_code == 401
    assert client.get("/", headers={"accept": "text/html"}).status_code == 200


def test_a_wrong_number_at_sign_in_comes_back_without_the_number(client: Client) -> None:
    data = {"actor": "citizen", "id_number": "110105194912310021"}
    reply = client.post("/demo/sign-in", data=data, headers={"origin": ORIGIN})
    assert reply.status_code == 400
    assert data["id_number"] not in reply.text


def test_a_citizen_is_told_of_the_ledgers_before(hub: TinyHub, citizen: Client) -> None:
    former = {"origin": "x.example/old", "size": 41, "root": "00" * 32, "keys": []}
    folder = hub.settings.ledger_former / "1"
    folder.mkdir(parents=True)
    about = folder / "about.json"
    about.write_text(json.dumps({"number": 1, "former": former}))
    try:
        text = citizen.get("/citizen").text
        assert "x.example/old" in text
        assert "ended with 41 entries" in text
    finally:
        about.unlink()
    assert "x.example/old" not in citizen.get("/citizen").text
