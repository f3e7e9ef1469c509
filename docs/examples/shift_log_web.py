"""What the plugin mounts in web apps."""

from shift_log import Tally
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from framework.asgi import inject


async def show(request: Request) -> JSONResponse:
    tally = await inject(Tally)(request)
    return JSONResponse(dict(tally.ended))


app = Starlette(routes=[Route("/", show)])
