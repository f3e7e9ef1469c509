"""The programs of the how-tos about steps and children, shared with Node."""

import importlib.util
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from framework import JobState, route
from tests.support.node import NodePeer, both_majors
from tests.support.node_work import adds_children, delays, returns, steps
from tests.support.ours import Ours, job_hash
from tests.support.until import until

pytestmark = both_majors

HOUR = timedelta(hours=1)
HOUR_MS = 3_600_000
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def example(name: str) -> ModuleType:
    """Load a program of a how-to."""
    spec = importlib.util.spec_from_file_location(f"how_to_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def test_an_invoice_that_node_charged_is_printed_and_sent_here(
    ours: Ours, node: NodePeer
) -> None:
    invoices = example("invoices")
    leave = {"kind": "delay", "ms": HOUR_MS}
    worker = await node.work("invoices", steps(charge={"next": "print", "leave": leave}))
    job_id = await node.add(
        "invoices", "invoice", {"cents": 5, "step": "charge", "receipt": "of Node"}, attempts=3
    )
    await until(worker.order, message="Node charged it")
    await worker.close()

    async with ours.working(invoices.Invoices) as app:
        await app.queue("invoices").promote_job(job_id)
        assert await node.wait_result("invoices", job_id) == "of Node"


async def test_an_invoice_that_we_charged_is_printed_and_sent_by_node(
    ours: Ours, node: NodePeer
) -> None:
    invoices = example("invoices")
    async with ours.working(invoices.Invoices) as app:
        job = await app.queue("invoices").add("invoice", {"cents": 5}, attempts=3, backoff=HOUR)

        async def has_failed_once() -> bool:
            return (await job_hash(app, job.id, "invoices")).get("atm") == "1"

        await until(has_failed_once, message="the printer was out of paper")
    await node.job_call("invoices", job.id, "promote")
    await node.work("invoices", steps(print={"next": "send"}, send={"next": "end"}))

    result = await node.wait_result("invoices", job.id)

    assert result["done"] == ["node:print", "node:send"]


async def test_a_trial_that_began_here_ends_on_node(
    ours: Ours, node: NodePeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = example("trials")
    monkeypatch.setattr(trials, "TRIAL", HOUR)
    async with ours.working(trials.Trials) as app:
        job = await app.queue("trials").add("trial", {"user": "Ada"})

        async def is_delayed() -> bool:
            return await node.state("trials", job.id) == "delayed"

        await until(is_delayed, message="it waits")
    await node.job_call("trials", job.id, "promote")
    worker = await node.work("trials", returns("your trial ends"))

    assert await node.wait_result("trials", job.id) == "your trial ends"
    [run] = await worker.order()
    assert (run.attemptsMade, run.attemptsStarted) == (0, 2)


async def test_a_trial_that_began_on_node_ends_here(ours: Ours, node: NodePeer) -> None:
    trials = example("trials")
    worker = await node.work("trials", delays(HOUR_MS))
    job_id = await node.add("trials", "trial", {"user": "Ada", "is_welcomed": True})
    await until(worker.order, message="it began on Node")
    await worker.close()

    async with ours.working(trials.Trials) as app:
        await app.queue("trials").promote_job(job_id)
        ended = await node.wait_result("trials", job_id)

    assert ended == "Ada, your trial ends, attempt 1"


async def test_a_digest_of_pages_that_node_fetches(ours: Ours, node: NodePeer) -> None:
    digests = example("digests")
    await node.work("pages", returns("fetched by Node"))

    async with ours.working(digests.Digests, routes=(route("pages", digests.Page),)) as app:
        job = await app.queue("digests").add("digest", {"urls": ["/a", "/b"]})

        assert await app.queue("digests").result(job) == "fetched by Node; fetched by Node"
        assert (await job_hash(app, job.id, "digests"))["atm"] == "1"


async def test_nodes_digest_of_pages_that_we_fetch(ours: Ours, node: NodePeer) -> None:
    digests = example("digests")
    child = {"queue": "pages", "name": "page"}
    pages: Any = [{**child, "data": {"url": url}} for url in ("/a", "/b")]
    await node.work("digests", adds_children(*pages))

    async with ours.working(digests.fetch):
        job_id = await node.add("digests", "digest", {})
        values = await node.wait_result("digests", job_id)

    assert sorted(values.values()) == ["text of /a", "text of /b"]


async def test_a_book_whose_sheets_node_sets(ours: Ours, node: NodePeer) -> None:
    books = example("books")
    await node.work("sheets", returns(100))
    chapters = [{"title": "Ferns", "sheets": 2}, {"title": "Moss", "sheets": 1}]

    async with ours.working(
        books.Books, books.Chapters, routes=(route("sheets", books.Sheet),)
    ) as app:
        job = await app.queue("books").add("book", {"chapters": chapters})

        assert await app.queue("books").result(job) == 300


async def test_nodes_book_whose_chapters_and_sheets_are_ours(ours: Ours, node: NodePeer) -> None:
    books = example("books")
    chapter = {"queue": "chapters", "name": "chapter", "data": {"title": "Ferns", "sheets": 2}}
    await node.work("books", adds_children(chapter))

    async with ours.working(books.Chapters, books.set_type) as app:
        job_id = await node.add("books", "book", {})
        values = await node.wait_result("books", job_id)

        assert list(values.values()) == [2 * len("Ferns, sheet 0")]
        assert (await app.queue("sheets").counts())[JobState.COMPLETED] == 2
