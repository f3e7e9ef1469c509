from framework import Context, Job, SyncContext


class Trial: ...


class Other: ...


async def save(job: Job[Trial, int], ctx: Context) -> None:
    await ctx.save(job, Other())  # error: misc


def save_in_a_thread(job: Job[Trial, int], ctx: SyncContext) -> None:
    ctx.save(job, Other())  # error: misc
