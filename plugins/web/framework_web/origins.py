"""What pages of other sites may do, where their readers' cookies come along.

Two things keep them out. Without a CORS header, which only origins in ``FRAMEWORK_WEB_ORIGINS`` are
sent, a browser shows no answer to another site's page, and does not even send what a form cannot:
``DELETE``, a body of JSON, a header of one's own. What a form can send, a POST without a body such
as ``…/retry``, is refused by what browsers say of where it comes from: ``Sec-Fetch-Site``, or
``Origin``. No token against forgery is needed beside that, and who is no browser says neither.
"""

from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp

from framework_web.problems import ProblemError

READING = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITE = frozenset({"same-origin", "none"})
METHODS = ("GET", "HEAD", "POST", "DELETE")
MAY_SEND = ("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID")
MAY_READ = ("Location", "Retry-After")


def shared(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Let pages of some other sites ask an app; cookies come along where a page sends them."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=METHODS,
        allow_headers=MAY_SEND,
        expose_headers=MAY_READ,
        allow_credentials=True,
    )


def refuse_forged(request: Request, origins: Sequence[str]) -> None:
    """Refuse what another site's page wants to change.

    Raises:
        ProblemError: It comes from one.
    """
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if request.method in READING or origin in origins:
        return
    if site is not None:
        is_own = site in OWN_SITE
    else:
        is_own = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not is_own:
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "Pages of another site may not do this. FRAMEWORK_WEB_ORIGINS names those that may.",
        )
