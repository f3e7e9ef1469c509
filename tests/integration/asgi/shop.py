"""A package as `lifespan` discovers it: a contract, a processor, a provider and a web app."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, WebSocket
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse

from framework import Job, Named, Producer, Queue, Settings, SyncProducer, processor, provider
from framework.asgi import inject, lifespan


class Reminder(BaseModel):
    text: str


@processor("reminders")
async def remind(job: Job[Reminder]) -> str:
    return job.data.text


@provider
class Desk:
    def __init__(self, reminders: Producer[Reminder, str]) -> None:
        self.reminders = reminders


Reminders = Annotated[Producer[Reminder], Depends(inject(Producer[Reminder]))]
Now = Annotated[SyncProducer[Reminder], Depends(inject(SyncProducer[Reminder]))]
Line = Annotated[Queue, Depends(inject(Annotated[Queue, Named("reminders")]))]

api = FastAPI(lifespan=lifespan(__name__))
router = APIRouter(prefix="/routed")
part = FastAPI()


@api.post("/reminders", status_code=202)
async def create_reminder(body: Reminder, reminders: Reminders) -> dict[str, str]:
    job = await reminders.add(body, delay=timedelta(hours=1))
    return {"job_id": job.id}


@api.post("/now")
def create_at_once(body: Reminder, reminders: Now) -> str:
    return reminders.add(body).id


@api.get("/counts")
async def count(queue: Line) -> dict[str, int]:
    return {str(state): number for state, number in (await queue.counts()).items() if number}


@api.get("/prefix")
def show_prefix(settings: Annotated[Settings, Depends(inject(Settings))]) -> str:
    return settings.prefix


@router.get("/desk")
async def show_desk(desk: Annotated[Desk, Depends(inject(Desk))]) -> str:
    return desk.reminders.queue


@part.get("/desk")
async def show_desk_of_part(desk: Annotated[Desk, Depends(inject(Desk))]) -> str:
    return desk.reminders.name


@api.websocket("/socket")
async def talk(socket: WebSocket, reminders: Reminders) -> None:
    await socket.accept()
    await socket.send_text(reminders.queue)
    await socket.close()


async def plain(request: Request) -> JSONResponse:
    reminders = await inject(Producer[Reminder])(request)
    return JSONResponse(reminders.queue)


api.include_router(router)
api.mount("/part", part)
api.add_route("/plain", plain)
