"""Starting and closing a gateway."""

import httpx2

from tests.plugins.gateway.conftest import Start


async def test_a_gateway_says_what_it_is_to_anybody(start: Start) -> None:
    gateway = await start()

    async with httpx2.AsyncClient() as client:
        banner = await client.get(f"http://127.0.0.1:{gateway.port}/")
        health = await client.get(f"http://127.0.0.1:{gateway.port}/health")
        unknown = await client.get(f"http://127.0.0.1:{gateway.port}/nothing")

    assert banner.status_code == 200
    assert health.json() == {"status": "ok", "redis": "ok"}
    assert (unknown.status_code, unknown.text) == (404, "Not Found")
