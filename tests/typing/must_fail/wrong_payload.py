from framework import Producer


class Greet: ...


async def add(greetings: Producer[Greet, str]) -> None:
    await greetings.add("Ada")  # error: arg-type
