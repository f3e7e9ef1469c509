"""A package whose endpoint asks for what nothing provides."""

from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel

from framework import Producer
from framework.asgi import inject, lifespan


class Invoice(BaseModel):
    cents: int


api = FastAPI(lifespan=lifespan(__name__))


@api.post("/invoices")
async def send(invoices: Annotated[Producer[Invoice], Depends(inject(Producer[Invoice]))]) -> str:
    return invoices.queue
