"""``framework jobs``: look after single jobs, by their ids."""

from typing import Annotated

import typer

from framework.cli.endings import clear_endings
from framework.cli.endings import say as complain

jobs_app = typer.Typer(name="jobs", help="Look after single jobs.", no_args_is_help=True)

QueueName = Annotated[str, typer.Argument(metavar="QUEUE", help="The queue's name.")]
JobName = Annotated[str, typer.Argument(metavar="ID", help="The job's id.")]
Isolate = Annotated[
    bool,
    typer.Option("--isolate", help="Run it alone: one more crash quarantines it again."),
]


@jobs_app.command("rescue")
def rescue(queue: QueueName, job_id: JobName, isolate: Isolate = False) -> None:
    """Put a job back in line that is quarantined, or has failed otherwise.

    Its crashes are forgotten, unless it stays isolated. Ends with 0 once it is in line, 1 if
    there is no such queue or job, or it has not failed, 69 if Redis is not there, 78 if a setting
    is wrong.
    """
    import anyio

    with clear_endings():
        problem = anyio.run(put_back, queue, job_id, isolate)
    if problem:
        complain(f"error: {problem}")
        raise typer.Exit(1)
    how = ", alone" if isolate else ""
    typer.echo(f'job {job_id} of queue "{queue}" is back in line; it runs again{how}')


async def put_back(queue: str, job_id: str, isolate: bool) -> str:
    """Put a job back in line; return what is wrong, if anything is."""
    from framework.app.application import Application
    from framework.errors import JobNotFoundError, WrongStateError
    from framework.wire.keys import QueueKeys

    async with Application() as app:
        try:
            await app.queue(queue).rescue_job(job_id, isolate=isolate)
        except WrongStateError as error:
            return str(error)
        except JobNotFoundError as error:
            keys = QueueKeys(app.settings.prefix, queue)
            is_known = await app.store.command("EXISTS", keys["meta"])
            return str(error) if is_known else f'there is no queue "{queue}"'
    return ""
