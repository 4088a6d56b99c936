"""The peer of the look-up: a FastAPI application whose one endpoint does nothing."""

from __future__ import annotations

from fastapi import FastAPI


def create() -> FastAPI:
    """Return the application."""
    app = FastAPI(docs_url=None, redoc_url=None)

    @app.get("/")
    async def empty() -> dict[str, str]:
        return {}

    return app
