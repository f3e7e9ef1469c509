"""Orders: a connection that lives as long as the process, a transaction that lives with a job."""

import sqlite3
from collections.abc import Iterator
from sqlite3 import Connection, Cursor

from pydantic import BaseModel

from framework import Job, processor, provider


class Order(BaseModel):
    article: str
    count: int


@provider
def database() -> Iterator[Connection]:
    connection = sqlite3.connect("orders.db")
    yield connection
    connection.close()


@provider(scope="job")
def transaction(connection: Connection) -> Iterator[Cursor]:
    try:
        yield connection.cursor()
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


MOST = 100


@provider
class Stock:
    def check(self, order: Order) -> None:
        if order.count > MOST:
            raise ValueError(f"we have not {order.count} of {order.article}")


@processor("orders")
class Orders:
    def __init__(self, stock: Stock) -> None:
        self.stock = stock

    async def process(self, job: Job[Order], cursor: Cursor) -> None:
        order = job.data
        cursor.execute("INSERT INTO orders VALUES (?, ?)", (order.article, order.count))
        self.stock.check(order)
