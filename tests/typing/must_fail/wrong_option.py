from framework import Producer


async def add(texts: Producer[str]) -> None:
    await texts.add("x", delay=5000)  # error: arg-type
