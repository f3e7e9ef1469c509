"""A task, started and watched from a page: it paints a picture, layer by layer."""

from datetime import timedelta

import anyio
from pydantic import BaseModel, Field

from framework import Context, Job
from framework_web import TaskProgress, task
from starter.landscape import LAYERS, layer, picture

LAYER_SECONDS = 0.7
MISHAP = "mountains"


class Picture(BaseModel):
    """What is to be painted, and how many attempts go wrong."""

    title: str = Field(min_length=1, max_length=40)
    fails: int = Field(0, ge=0, le=10)


class MishapError(Exception):
    """An attempt went wrong, as it was asked for."""


@task("picture", attempts=3, backoff=timedelta(seconds=2))
async def paint(job: Job[Picture], ctx: Context) -> str:
    """Return the picture as an SVG.

    Each layer is a step: who comes after an attempt that failed, or after a worker that was
    killed, goes on where that one was.
    """
    layers: list[str] = []
    for name in LAYERS:
        layers.append(await ctx.step(name, paint_layer, ctx, job.data.title, name))
        if name == MISHAP and job.attempts_started <= job.data.fails:
            raise MishapError("the brush fell into the lake")
    return picture(layers)


async def paint_layer(ctx: Context, title: str, name: str) -> str:
    """Paint one layer, and show it to whoever watches."""
    await anyio.sleep(LAYER_SECONDS)
    painted = layer(title, name)
    await ctx.stream(painted)
    done = LAYERS.index(name) + 1
    await ctx.progress(TaskProgress(current=done, total=len(LAYERS), message=name))
    return painted
