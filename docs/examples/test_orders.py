import sqlite3
from sqlite3 import Connection

import anyio
import pytest

from framework import Application, JobFailedError


async def test_only_an_order_that_completes_is_written(settings: None) -> None:
    memory = sqlite3.connect(":memory:")
    memory.execute("CREATE TABLE orders (article, count)")
    application = Application("shop.orders", overrides={Connection: memory})

    async with application as app, anyio.create_task_group() as tasks:
        await tasks.start(app.work)
        orders = app.queue("orders")
        await orders.result(await orders.add("order", {"article": "fern", "count": 2}))
        with pytest.raises(JobFailedError, match="we have not 500 of palm"):
            await orders.result(await orders.add("order", {"article": "palm", "count": 500}))
        app.stop()

    rows = memory.execute("SELECT * FROM orders").fetchall()
    memory.close()
    assert rows == [("fern", 2)]
