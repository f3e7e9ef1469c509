from framework import Producer


async def wait(texts: Producer[str, int]) -> str:
    return await texts.result("1")  # error: return-value
