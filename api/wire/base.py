"""What every body has in common: unknown members are refused, examples are invented."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class Wire(BaseModel):
    """A body; members that are not described are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def example(*values: dict[str, Any]) -> ConfigDict:
    """Return a model configuration with examples for the API's description."""
    return ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": list(values)})


DatasetName = Annotated[str, Field(max_length=100, pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
PurposeCode = Annotated[
    str,
    Field(
        max_length=60,
        pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$",
        description="Code of the purpose register; GET /v1/officer/purposes lists yours.",
    ),
]
CaseReference = Annotated[
    str, Field(min_length=1, max_length=64, description="Your own agency's reference of the case.")
]

RECEIPT_EXAMPLE: dict[str, Any] = {
    "index": 41,
    "indexes": [41],
    "leaf": "5f1c0ad7a9b0e3f2c4d58c1b7f1f6a0e9d3b2c4a5e6f708192a3b4c5d6e7f809",
    "checkpoint": "mingjing.example/ledger\n42\nq7hV…=\n\n— mingjing.example/ledger Wm0x…\n",
}


class Receipt(Wire):
    """Proof of recording: where the ledger holds this answer."""

    model_config = example(RECEIPT_EXAMPLE)

    index: int = Field(ge=0, description="Index of the first leaf of this answer.")
    indexes: list[int] = Field(description="Index of every leaf: one per person shown.")
    leaf: str = Field(description="Leaf hash, hex (RFC 9162).")
    checkpoint: str = Field(description="Signed tree head that covers the leaf (C2SP).")


class Problem(BaseModel):
    """Problem details (RFC 9457). Further members depend on the code."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "/problems#access-denied",
                    "title": "Not permitted",
                    "status": 403,
                    "detail": "这名人员不在您负责的网格内。",
                    "code": "access-denied",
                    "remedy": "请联系居住地街道。",
                    "request_id": "9f0c2d4b6a8e1357",
                }
            ]
        },
    )

    type: str = Field(description="Where the code is explained.")
    title: str
    status: int
    detail: str = ""
    code: str = Field(description="Stable code; GET /v1/public/problems lists them.")
    remedy: str = Field(description="What can be done.")


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of the problems a route may answer with."""
    return {
        status: {
            "description": _MEANING[status],
            "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            },
        }
        for status in statuses
    }


_MEANING = {
    400: "The request cannot be understood.",
    401: "No token, or one that is not valid.",
    403: "Refused, with the reason and, where something was decided, its receipt.",
    404: "Nothing there, or nothing that may be known.",
    409: "Not possible as it stands, with the reason.",
    413: "The body is larger than allowed.",
    415: "The body is not sent as application/json.",
    422: "Some fields do not fit; each is named, none is repeated.",
    429: "More than the purpose allows in a minute or a day; Retry-After says when to ask again.",
    502: "A source cannot be read.",
    503: "The ledger cannot record, so nothing was released.",
}
