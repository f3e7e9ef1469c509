"""The pages: start a picture and watch it, or have it on a page of its own that fills in."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from html import escape
from pathlib import Path
from typing import Annotated
from urllib.parse import quote
from uuid import uuid4

from fastapi import APIRouter, Depends, Form, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from starlette.staticfiles import StaticFiles

from framework import JobFailedError, JobNotFoundError, ResultTimeoutError, WrongStateError
from framework.asgi import inject
from framework_web import Tasks
from starter.pictures import Picture

SITE = Path(__file__).with_name("site")
# Less than proxies wait for the end of an answer.
PATIENCE = timedelta(seconds=50)

Asked = Annotated[Tasks, Depends(inject(Tasks))]
files = StaticFiles(directory=SITE)
pages = APIRouter(include_in_schema=False)


@pages.get("/")
async def show_form() -> HTMLResponse:
    """Show the page where a picture is started and watched."""
    return HTMLResponse("".join(parts_of_page()))


@pages.post("/items")
async def create(wanted: Annotated[Picture, Form()], tasks: Asked) -> RedirectResponse:
    """Start a picture whose id is chosen here, and send the reader to its page."""
    item = await tasks.add("picture", wanted, job_id=str(uuid4()))
    return RedirectResponse(f"/items/{item}", 303)


@pages.get("/items/{item}")
async def show(item: str, tasks: Asked) -> StreamingResponse:
    """Show a picture's page."""
    found = await tasks.get(item, type="picture")
    if found is None:
        raise HTTPException(404, f"there is no picture {item}, or it is kept no longer")
    title = str(found.data["title"])
    return StreamingResponse(page_of(item, title, tasks), media_type="text/html")


@pages.post("/items/{item}/retry")
async def retry(item: str, tasks: Asked) -> RedirectResponse:
    """Have a picture painted again that failed; whatever became of it meanwhile, its page tells."""
    with suppress(JobNotFoundError, WrongStateError):
        await tasks.retry(item, type="picture")
    return RedirectResponse(f"/items/{item}", 303)


async def page_of(item: str, title: str, tasks: Tasks) -> AsyncIterator[str]:
    """Send the page at once, and its end when there is one."""
    begin, end = parts_of_page()
    yield begin
    try:
        picture: str = await tasks.wait(item, PATIENCE, type="picture")
        source = f"data:image/svg+xml,{quote(picture)}"
        yield f'<figure class="frame end"><img src="{source}" alt="{escape(title)}"></figure>'
        yield f'<p class="row">{escape(title)}</p>'
    except JobFailedError as error:
        told = "It was aborted" if error.is_cancelled else f"It failed: {escape(error.reason)}"
        yield f'<p class="problem end" role="alert">{told}</p>'
        yield f'<form method="post" action="/items/{item}/retry"><button>Retry</button></form>'
    except (ResultTimeoutError, JobNotFoundError):
        yield f'<p><a href="/items/{item}">It is not there yet: look again</a></p>'
    yield end


def parts_of_page() -> list[str]:
    """Return what comes before the picture, and what comes after it."""
    return (SITE / "page.html").read_text(encoding="utf-8").split("<!-- the picture -->")
