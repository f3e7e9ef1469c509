"""How an application hands its own authentication to the plugin. Light to import."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING

from anyio import to_thread

from framework import DeclarationError

if TYPE_CHECKING:
    from fastapi.params import Depends
    from starlette.requests import Request


class Guard:
    """Decides by the application's own means who may ask. Provide one.

    ::

        @provider
        def guard(sessions: Sessions) -> Guard:
            return Guard(sessions.user_of)

    What the check returns decides: the request may pass with anything that is true, such as the
    user, and is refused with None or False, 403. Raise an ``HTTPException`` to answer otherwise.
    `wish_of` tells what is asked for.

    Args:
        check: Takes the request; plain, then it runs in a thread, or asynchronous. Or a dependency
            of FastAPI's, as ``Depends(current_user)`` or ``Security(…)``: it may ask for whatever
            FastAPI gives, but for the body, is closed before the request is answered, and heeds
            ``dependency_overrides``.

    Raises:
        DeclarationError: It is neither.
    """

    def __init__(self, check: "Callable[[Request], object] | Depends") -> None:
        if is_dependency(check):
            from framework_web.fastapi_check import FastApiCheck  # noqa: PLC0415 - it is heavy

            check = FastApiCheck(check)
        if not callable(check):
            raise DeclarationError(
                f"Guard({check!r}): it cannot be asked",
                fix="hand it a function that takes the request, or Depends(…) of FastAPI",
            )
        self._check: Callable[[Request], object] = check

    async def admits(self, request: "Request") -> bool:
        """Tell whether a request may pass; it raises what the check raises.

        Raises:
            TypeError: The check returned an answer, which would be true.
        """
        if is_async(self._check):
            answer = self._check(request)
        else:
            answer = await to_thread.run_sync(self._check, request)
        if inspect.isawaitable(answer):
            answer = await answer
        if hasattr(answer, "status_code"):
            raise TypeError(f"a guard answers nothing itself: raise HTTPException, not {answer!r}")
        return bool(answer)


def is_dependency(check: object) -> bool:
    """Tell whether something is what FastAPI's ``Depends`` or ``Security`` makes."""
    return hasattr(check, "dependency") and hasattr(check, "use_cache")


def is_async(check: object) -> bool:
    """Tell whether a function, or what an object's ``__call__`` is, must be awaited."""
    return inspect.iscoroutinefunction(check) or inspect.iscoroutinefunction(
        getattr(check, "__call__", None)  # noqa: B004 - it is looked at, not whether it is there
    )


class Guarding:
    """The guard of an application, if it provides one. Ask for it by its type."""

    def __init__(self, guard: Guard | None = None) -> None:
        self.guard = guard
