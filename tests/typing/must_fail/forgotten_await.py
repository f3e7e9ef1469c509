from framework import Context


async def process(ctx: Context) -> None:
    ctx.progress(50)  # error: unused-coroutine
