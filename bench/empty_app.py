"""The peer of the look-up: a FastAPI application whose one endpoint does nothing.

It answers under the same path and is sent the very same bytes, so that both sides read the same.
"""

from __future__ import annotations

from fastapi import FastAPI


def create() -> FastAPI:
    """Return the application."""
    app = FastAPI(docs_url=None, redoc_url=None)

    @app.post("/v1/officer/lookup")
    async def empty() -> dict[str, str]:
        return {}

    return app
