"""A page that loads at once and fills in when its job is done, with a bar that moves meanwhile."""

import os
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from html import escape
from typing import Annotated
from uuid import uuid4

import anyio
from fastapi import Depends, FastAPI, Form, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from pydantic import BaseModel

from framework import (
    Context,
    Job,
    JobFailedError,
    JobNotFoundError,
    ResultTimeoutError,
    UnrecoverableError,
    WrongStateError,
)
from framework.asgi import inject, lifespan
from framework_web import Tasks, task

STROKE = float(os.environ.get("POSTCARDS_STROKE", "0.3"))
PATIENCE = timedelta(seconds=float(os.environ.get("POSTCARDS_PATIENCE", "20")))
STROKES = 10


class Card(BaseModel):
    text: str = ""


@task("card")
async def draw(job: Job[Card], ctx: Context) -> str:
    """Draw a card stroke by stroke, and return the picture."""
    waves: list[str] = []
    for number in range(1, STROKES + 1):
        await anyio.sleep(STROKE)
        y = 20 * number
        waves.append(f'<path d="M0 {y} q40 -30 80 0 t80 0 t80 0 t80 0" />')
        await ctx.progress(100 * number // STROKES)
    if not job.data.text:
        raise UnrecoverableError("there is nothing to write")
    return (
        f'<svg viewBox="0 0 320 220" role="img" aria-label="{escape(job.data.text)}">'
        f'<g fill="none" stroke="#38c6" stroke-width="3">{"".join(waves)}</g>'
        f'<text x="160" y="120" text-anchor="middle">{escape(job.data.text)}</text></svg>'
    )


api = FastAPI(lifespan=lifespan("postcards", work=True))
Asked = Annotated[Tasks, Depends(inject(Tasks))]

HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Postcards</title>
<style>
  :root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; }
  main { max-width: 36rem; margin: 2rem auto; padding: 0 1rem; }
  figure { margin: 0; }
  progress, svg { width: 100%; }
  text { fill: currentColor; font-size: 24px; }
  main:has(.end) .meanwhile { display: none; }
</style>
<main>
"""
FORM = """<h1>Postcards</h1>
<form method="post" action="/items">
  <label>Text <input name="text" maxlength="20"></label> <button>Draw</button>
</form>
"""
MEANWHILE = """<h1>Your card</h1>
<div class="meanwhile">
  <label for="bar">Being drawn</label>
  <progress id="bar" max="100" value="0"></progress>
  <button id="abort" disabled>Abort</button>
</div>
<script type="module" async>
  import { createTask } from "/framework-web/index.js";
  const card = createTask("/tasks/card", { id: location.pathname.split("/").at(-1) });
  card.subscribe(({ percentage }) => (document.getElementById("bar").value = percentage ?? 0));
  const abort = document.getElementById("abort");
  abort.onclick = () => card.abort();
  abort.disabled = false;
</script>
"""


@api.get("/")
async def form() -> HTMLResponse:
    return HTMLResponse(HEAD + FORM)


@api.post("/items")
async def create(card: Annotated[Card, Form()], tasks: Asked) -> RedirectResponse:
    """Start a job whose id is chosen here, and send the reader to its page."""
    item = str(uuid4())
    await tasks.add("card", card, job_id=item)
    return RedirectResponse(f"/items/{item}", 303)


@api.post("/items/{item}/retry")
async def retry(item: str, tasks: Asked) -> RedirectResponse:
    with suppress(JobNotFoundError, WrongStateError):  # its page tells what became of it
        await tasks.retry(item, type="card")
    return RedirectResponse(f"/items/{item}", 303)


@api.get("/items/{item}")
async def show(item: str, tasks: Asked) -> StreamingResponse:
    if await tasks.get(item, type="card") is None:
        raise HTTPException(404)
    return StreamingResponse(deferred(item, tasks), media_type="text/html")


async def deferred(item: str, tasks: Tasks) -> AsyncIterator[str]:
    """Send the page at once, and its end when the job has ended."""
    yield HEAD + MEANWHILE
    try:
        picture = await tasks.wait(item, PATIENCE, type="card")
        yield f'<figure class="end">{picture}</figure>'
    except JobFailedError as error:
        yield f'<p class="end" role="alert">It failed: {escape(error.reason)}</p>'
        yield f'<form method="post" action="/items/{item}/retry"><button>Retry</button></form>'
    except (ResultTimeoutError, JobNotFoundError):
        yield f'<p><a href="/items/{item}">It takes long: look again</a></p>'
