"""Tickets are printed as tasks: members start them, whoever has a token watches, staff does all."""

from datetime import timedelta
from typing import Annotated

from fastapi import Cookie, Depends, FastAPI, HTTPException
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from framework import Context, Job, provider
from framework.asgi import inject, lifespan
from framework_web import Guard, Tasks, Wish, task, wish_of

# The application's own; a table, in truth.
SESSIONS = {"4fb1": "ada", "90c2": "bob"}
STAFF = {"bob"}


class Seat(BaseModel):
    row: int


@task("ticket")
async def print_ticket(job: Job[Seat], ctx: Context) -> str:
    await ctx.progress(50)
    return f"row {job.data.row}"


async def current_user(session: Annotated[str, Cookie()] = "") -> str:
    if session not in SESSIONS:
        raise HTTPException(401, "Log in first.")
    return SESSIONS[session]


User = Annotated[str, Depends(current_user)]


def may_ask(user: User, wish: Annotated[Wish, Depends(wish_of)]) -> bool:
    return user in STAFF or (wish.action == "start" and wish.type == "ticket")


@provider
def guard() -> Guard:
    return Guard(Depends(may_ask))


api = FastAPI(lifespan=lifespan("box_office", work=True))

PAGE = """<!doctype html>
<progress max="100" value="0"></progress>
<script>
  const bar = document.querySelector("progress");
  const events = new EventSource("/tasks/ticket/{id}/events?token={token}");
  const on = (name, show) => events.addEventListener(name, ({{ data }}) => show(JSON.parse(data)));
  // A task that has ended by now has its snapshot alone.
  on("snapshot", (task) => (bar.value = task.state === "completed" ? 100 : task.progress));
  on("progress", (percentage) => (bar.value = percentage));
  on("completed", () => (bar.value = 100));
  for (const end of ["completed", "failed"]) on(end, () => events.close());
</script>
"""


@api.post("/seats/{row}")
async def book(
    row: int, user: User, tasks: Annotated[Tasks, Depends(inject(Tasks))]
) -> HTMLResponse:
    """Start a task for a user, and let the page watch it and nothing else."""
    task_id = await tasks.add("ticket", Seat(row=row))
    signed = tasks.watch_token(task_id, lifetime=timedelta(minutes=10))
    return HTMLResponse(PAGE.format(id=task_id, token=signed.token))
