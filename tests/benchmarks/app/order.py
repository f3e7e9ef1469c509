"""A payload of the usual size, typed."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, Field

from framework import Job, processor
from tests.benchmarks.app import CONCURRENCY, defaults


class Line(BaseModel):
    sku: str = Field(min_length=3)
    pieces: int = Field(gt=0)
    price: Decimal


class Order(BaseModel):
    n: int
    customer: UUID
    placed: datetime
    note: str
    lines: list[Line]


def make_order(n: int) -> Order:
    """Return an order of three lines, 320 bytes of JSON."""
    lines = [Line(sku=f"SKU-{one}", pieces=one, price=Decimal("19.90")) for one in (1, 2, 3)]
    placed = datetime(2026, 1, 1, tzinfo=UTC)
    return Order(n=n, customer=UUID(int=n), placed=placed, note="Ring twice.", lines=lines)


@processor("order", concurrency=CONCURRENCY, defaults=defaults())
class Orders:
    async def process(self, job: Job[Order]) -> None:
        pass
