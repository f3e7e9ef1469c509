"""What a run that raised wants: to be parked, or to have failed."""

import structlog

from framework.errors import UnrecoverableError
from framework.model.outcome import Park, Parked, Wish
from framework.worker.run import Run

log = structlog.get_logger("framework.worker")


def park_of(error: BaseException) -> Park | None:
    """Return how to park a run; None if it failed.

    A group parks only if it holds nothing but `Parked`, and those with one wish.
    """
    wishes = wishes_of(error)
    if not wishes or any(wish != wishes[0] for wish in wishes) or failures_of(error):
        return None
    return Park(wishes[0])


def tell_swallowed(run: Run | None) -> None:
    """Warn of a run that asked to leave, and returned all the same; it completes.

    Args:
        run: None where the handler asked for no context.
    """
    if run is not None and run.wish is not None:
        log.warning(
            "job completes, though its run asked to leave: Parked was swallowed",
            job=run.job.id,
            queue=run.job.queue,
            name=run.job.name,
            wish=str(run.wish),
            fix="an 'except BaseException' or bare 'except' took it: catch Exception instead",
        )


def failure_of(error: BaseException) -> BaseException:
    """Return why a run failed that `park_of` does not park: errors go before wishes."""
    wishes = wishes_of(error)
    if not wishes:
        return error
    failed = failures_of(error)
    if failed is not None:
        return failed
    asked = " and ".join(sorted({str(wish) for wish in wishes}))
    return UnrecoverableError(f"the run wants to be parked in two ways: {asked}")


def wishes_of(error: BaseException) -> list[Wish]:
    """Return all wishes in an error, however deep in groups."""
    if isinstance(error, Parked):
        return [error.wish]
    if isinstance(error, BaseExceptionGroup):
        return [wish for inner in error.exceptions for wish in wishes_of(inner)]
    return []


def failures_of(error: BaseException) -> BaseException | None:
    """Return an error without its `Parked`; None if nothing is left."""
    if isinstance(error, BaseExceptionGroup):
        return error.split(Parked)[1]
    return None if isinstance(error, Parked) else error
