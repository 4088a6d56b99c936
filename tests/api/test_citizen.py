"""The citizen's door: what is held, who used it, and a proof that holds offline."""

from __future__ import annotations

from api.wire.citizen import Uses
from api.wire.officer import Disclosure
from hub.ledger.verify import trust_of, verify_file
from tests.api.hub import CASE, EAST, WEST, Client, TinyHub


def look_up(hub: TinyHub, client: Client, number: str) -> int:
    question = {
        "by": "resident_id",
        "value": number,
        "purpose": "residence.verify",
        "case": CASE,
    }
    actor = "officer.east" if number == EAST.number else "officer.west"
    reply = client.post("/v1/officer/lookup", json=question, headers=hub.bearer(actor))
    return int(reply.json()["receipt"]["index"])


def test_own_records_are_in_clear_and_by_department(hub: TinyHub, client: Client) -> None:
    reply = client.get("/v1/me/records", headers=hub.bearer("citizen", EAST.number))
    assert reply.status_code == 200
    body = reply.json()
    Disclosure.model_validate(body)
    records = {record["dataset"]: record for record in body["subjects"][0]["records"]}
    assert set(records) == {"population.resident", "housing.dwelling"}
    assert records["population.resident"]["owner_title"]
    cells = {cell["column"]: cell for cell in records["population.resident"]["cells"]}
    assert cells["resident_id"]["value"] == EAST.number


def test_a_use_appears_with_a_proof_that_holds(hub: TinyHub, client: Client) -> None:
    index = look_up(hub, client, EAST.number)
    headers = hub.bearer("citizen", EAST.number)
    body = client.get("/v1/me/uses", headers=headers).json()
    Uses.model_validate(body)
    use = next(use for use in body["uses"] if use["index"] == index)
    assert use["outcome"] == "allowed"
    assert use["with_case"] is True
    assert {"name", "resident_id"} <= {field["column"] for field in use["fields"]}
    hub.publish()
    reply = client.get(use["proof"], headers=headers)
    assert f"mingjing-proof-{index}.tlog-proof" in reply.headers["content-disposition"]
    trust = trust_of([client.get("/v1/public/key").text.strip()])
    report = verify_file(reply.content, trust)
    assert report.valid, report.why
    (proven,) = report.uses
    assert proven.record is not None
    assert proven.record["event"] == "officer:subject:disclosed"
    assert EAST.number not in str(proven.record)
    assert CASE not in str(proven.record)


def test_a_statement_has_all_uses_that_are_public(hub: TinyHub, client: Client) -> None:
    index = look_up(hub, client, EAST.number)
    hub.publish()
    headers = hub.bearer("citizen", EAST.number)
    reply = client.get("/v1/me/statement", headers=headers)
    assert "mingjing-statement.json" in reply.headers["content-disposition"]
    report = verify_file(reply.content, trust_of([client.get("/v1/public/key").text.strip()]))
    assert report.valid, report.why
    listed = {use["index"] for use in client.get("/v1/me/uses", headers=headers).json()["uses"]}
    assert index in listed
    assert listed <= {use.position for use in report.uses}
    assert EAST.number.encode() not in reply.content
    assert client.get("/v1/me/statement").status_code == 401
    assert client.get("/v1/me/statement", headers=hub.bearer("officer.east")).status_code == 404


def test_nobody_gets_the_proof_of_another(hub: TinyHub, client: Client) -> None:
    index = look_up(hub, client, EAST.number)
    for headers in (hub.bearer("citizen", WEST.number), hub.bearer("officer.east")):
        reply = client.get(f"/v1/me/uses/{index}/proof", headers=headers)
        assert reply.status_code == 404
    uses = client.get("/v1/me/uses", headers=hub.bearer("citizen", WEST.number)).json()["uses"]
    assert index not in {use["index"] for use in uses}


def test_an_officer_has_no_records_of_their_own_here(hub: TinyHub, client: Client) -> None:
    reply = client.get("/v1/me/records", headers=hub.bearer("officer.east"))
    assert reply.status_code == 403
    assert client.get("/v1/me/uses", headers=hub.bearer("officer.east")).json() == {"uses": []}


def test_bounds_of_the_list_and_the_index(hub: TinyHub, client: Client) -> None:
    headers = hub.bearer("citizen", EAST.number)
    for path in ("/v1/me/uses?limit=0", "/v1/me/uses?limit=5000", "/v1/me/uses/-1/proof"):
        assert client.get(path, headers=headers).status_code == 422
    assert client.get("/v1/me/uses/999999999/proof", headers=headers).status_code == 404
