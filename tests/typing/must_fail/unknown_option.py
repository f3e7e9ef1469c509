from framework import Producer


async def add(texts: Producer[str]) -> None:
    await texts.add("x", atempts=3)  # error: call-arg
