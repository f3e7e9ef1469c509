"""What somebody asks for, for those who decide whether they may."""

from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request

Action = Literal["start", "look", "follow", "abort", "pause", "resume", "retry", "list", "describe"]
# Where these stand in a request's scope: what is asked for, and the web app that was asked first.
WISH = "framework_web.wish"
OUTER_APP = "framework_web.app"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for.

    Attributes:
        action: What is to be done. ``list`` counts or lists tasks, ``describe`` is the OpenAPI
            document.
        type: Of which type of task; None: of several, or of all. There may be none of this name.
        id: With which task; None: with none that is there already. It may not be there.
    """

    action: Action
    type: str | None = None
    id: str | None = None


def wish_of(request: Request) -> Wish:
    """Return what a request asks for; in a `Guard`, and as a dependency of FastAPI there."""
    wish: Wish = request.scope[WISH]
    return wish
