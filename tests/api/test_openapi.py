"""The API's description: complete, with examples that fit, and readable without the network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from api.wire import base, card, citizen, desk, identity, officer, partner, public, statistics
from tests.api.hub import Client, TinyHub

MODULES = (base, card, citizen, desk, identity, officer, partner, public, statistics)


def models() -> Iterator[type[BaseModel]]:
    for module in MODULES:
        for item in vars(module).values():
            if isinstance(item, type) and issubclass(item, BaseModel):
                yield item


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def examples(model: type[BaseModel]) -> list[Any]:
    extra = model.model_config.get("json_schema_extra")
    found = extra.get("examples") if isinstance(extra, dict) else None
    return list(found) if isinstance(found, list) else []


def test_examples_fit_their_models() -> None:
    samples = [(model, sample) for model in models() for sample in examples(model)]
    for model, sample in samples:
        model.model_validate(sample)
    assert len(samples) > 12


def test_every_body_and_answer_has_an_example(client: Client) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]

    def has_example(content: dict[str, Any]) -> bool:
        schema = content.get("schema", {})
        named = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
        return "example" in content or bool(named.get("examples"))

    for name, operation in operations(document):
        for kind, content in operation.get("requestBody", {}).get("content", {}).items():
            assert has_example(content), f"{name}: request {kind}"
        for status, response in operation["responses"].items():
            assert response["description"], f"{name}: {status}"
            for kind, content in response.get("content", {}).items():
                assert has_example(content), f"{name}: {status} {kind}"


def test_every_operation_is_described_and_its_problems_are_problems(client: Client) -> None:
    document = client.get("/openapi.json").json()
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for name, operation in operations(document):
        assert operation["description"], name
        assert operation["tags"], name
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert set(response["content"]) == {"application/problem+json"}, f"{name}: {status}"
        if operation.get("security"):
            assert "401" in operation["responses"], name


def test_every_reference_resolves(client: Client) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]

    def walk(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            yield from ([value["$ref"]] if "$ref" in value else [])
            for item in value.values():
                yield from walk(item)
        elif isinstance(value, list):
            for item in value:
                yield from walk(item)

    for reference in walk(document):
        assert reference.rpartition("/")[2] in schemas, reference


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_frameworks_own_pages_are_not_there(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_reference_page_lists_every_operation(hub: TinyHub, client: Client) -> None:
    text = client.get("/reference", headers={"accept": "text/html"}).text
    for name, _ in operations(hub.app.openapi()):
        assert name in text
