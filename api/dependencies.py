"""What a route asks for: the session of an actor, and the services.

Two ways in, kept apart. The API takes bearer tokens only, so no other site can make a browser use
it. Pages take a cookie only: HttpOnly, SameSite=Strict, and every form that is posted must come
from a page of this very site.

Source: RFC 6750 (bearer tokens), RFC 6265bis (SameSite), W3C Fetch Metadata.
"""

from __future__ import annotations

from typing import Annotated, cast
from urllib.parse import urlsplit

from fastapi import Depends
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase
from starlette.requests import Request
from starlette.responses import Response

from api.services import Services
from api.tokens import Session
from hub.errors import AccessDenied, Unauthenticated

COOKIE = "mingjing_session"

#: Routes that answer anyone, each with its reason. Everything else must establish an actor.
PUBLIC_ROUTES = {
    ("GET", "/"): "front page, holds no record",
    ("GET", "/board"): "quality figures without any record",
    ("GET", "/problems"): "what each error means",
    ("GET", "/reference"): "the API described",
    ("GET", "/openapi.json"): "the API described",
    ("POST", "/preferences"): "size and contrast of the text, kept in a cookie",
    ("POST", "/sign-out"): "forgets the session",
    ("GET", "/demo/sign-in"): "demonstration only: the invented actors",
    ("POST", "/demo/sign-in"): "demonstration only: become an invented actor",
    ("GET", "/demo/actors"): "demonstration only: the invented actors",
    ("POST", "/demo/token"): "demonstration only: become an invented actor",
    ("GET", "/v1/health"): "whether the hub is well",
    ("GET", "/ledger/{path:path}"): "hashes, keyed tags and signatures only",
    ("GET", "/v1/public/consistency"): "hashes only",
    ("GET", "/v1/public/datasets"): "what is held, no record",
    ("GET", "/v1/public/key"): "the ledger's public key",
    ("GET", "/v1/public/problems"): "what each error means",
    ("GET", "/v1/public/sealed"): "counts of closed years, small ones left out",
    ("GET", "/v1/public/quality"): "quality figures without any record",
    ("GET", "/v1/public/verifier"): "the program that checks a proof",
    ("GET", "/v1/public/verifier-page"): "the page that checks a proof",
}


async def services(request: Request) -> Services:
    """Return what the application was started with."""
    return cast("Services", request.app.state.services)


class BearerSession(SecurityBase):
    """The session behind the Authorization header of an API request."""

    def __init__(self) -> None:
        self.model = HTTPBearerModel(
            bearerFormat="JWT", description="Token of the identity provider."
        )
        self.scheme_name = "bearer"

    async def __call__(self, request: Request) -> Session:
        """Return the session.

        Raises:
            Unauthenticated: without header, or with a token that is not valid.
        """
        return bearer_session(request)


def bearer_session(request: Request) -> Session:
    """Return the session behind the Authorization header.

    Raises:
        Unauthenticated: without header, or with a token that is not valid.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("send the token as `Authorization: Bearer TOKEN`")
    return cast("Services", request.app.state.services).verifier.verify(token)


class PageSession(SecurityBase):
    """The session behind the cookie of a page request."""

    def __init__(self) -> None:
        self.model = HTTPBearerModel(description="Session cookie of the pages.")
        self.scheme_name = "page"

    async def __call__(self, request: Request) -> Session:
        """Return the session.

        Raises:
            Unauthenticated: without cookie, or when its session has ended.
            AccessDenied: when a form was not posted from this site.
        """
        if request.method == "POST":
            require_same_site(request)
        session = session_of(request)
        if session is None:
            raise Unauthenticated("请先登录。 / Sign in first.")
        return session


def session_of(request: Request) -> Session | None:
    """Return the session of the page cookie, or None when there is none that is valid."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    try:
        return cast("Services", request.app.state.services).verifier.verify(token)
    except Unauthenticated:
        return None


def require_same_site(request: Request) -> None:
    """Refuse a form that was not posted from a page of this site.

    Raises:
        AccessDenied: when the browser says so, or does not say where the form is from.
    """
    site = request.headers.get("sec-fetch-site")
    origin = urlsplit(request.headers.get("origin", "")).netloc
    if site is None:  # an older browser, which says only where the form is from
        site = "same-origin" if origin and origin == request.headers.get("host") else "unknown"
    if site != "same-origin":
        raise AccessDenied("表单须由本站页面提交。 / The form was not posted from this site.")


def remember(request: Request, response: Response, token: str) -> None:
    """Put a token into the page cookie, which the browser forgets when it is closed.

    The token itself says when the session ends; the cookie adds nothing that could be trusted.
    """
    started = cast("Services", request.app.state.services)
    response.set_cookie(
        COOKIE,
        token,
        httponly=True,
        samesite="strict",
        secure=started.settings.profile == "production",
        path="/",
    )


async def same_site(request: Request) -> None:
    """Refuse a form that was not posted from a page of this site; see `require_same_site`."""
    require_same_site(request)


CurrentServices = Annotated[Services, Depends(services)]
CurrentSession = Annotated[Session, Depends(BearerSession())]
PageActor = Annotated[Session, Depends(PageSession())]
SameSite = Depends(same_site)
