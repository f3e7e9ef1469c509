"""As `astray`, but in the older spelling: the dependency is the parameter's default."""

from fastapi import Depends, FastAPI

from framework.asgi import inject, lifespan

api = FastAPI(lifespan=lifespan(__name__))


class Printer:
    pass


@api.post("/pages")
async def send(*, printer: Printer = Depends(inject(Printer))) -> str:  # noqa: B008 - FastAPI's older spelling
    return str(printer)
