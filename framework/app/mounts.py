"""Puts what plugins mount into a web app, where the web app's own routes go first."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import Scope
from typing_extensions import override

from framework.app.builder import Mounted
from framework.app.plugins import distribution_of, points_of, target_of
from framework.errors import PluginError

# What answers this path too answers any.
NOWHERE = "/0f3a9e51-nobody-asks-for-this"


class WholeMount(Mount):
    """A mount that serves its path itself too, without a redirection to the path and a slash."""

    @override
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether a request is for what is mounted, and what that gets to see."""
        path: str = scope["path"]
        if path.removeprefix(scope.get("root_path", "")) != self.path:
            # A pattern of Starlette's ends with the line; what is asked for may have several.
            return super().matches({**scope, "path": path.replace("\n", " ")})
        path = f"{path}/"
        match, child = super().matches({**scope, "path": path})
        return match, {**child, "path": path}


@contextmanager
def mounted(app: Starlette, mounts: Sequence[Mounted]) -> Iterator[None]:
    """Have a web app serve what plugins mount, until the end.

    A route of the app that catches all paths, such as static files at ``/``, goes after them.

    Raises:
        PluginError: The app answers one of the paths itself, or what is mounted cannot be imported.
    """
    routes = app.router.routes
    added: list[BaseRoute] = []
    for one in mounts:
        refuse_taken(routes, one)
        added.append(WholeMount(one.path, app=target_of(one.by, one.target), name=one.by))
    catching = (place for place, route in enumerate(routes) if answers(route, NOWHERE))
    place = next(catching, len(routes))
    routes[place:place] = added
    try:
        yield
    finally:
        for route in added:
            routes.remove(route)


def refuse_taken(routes: Sequence[BaseRoute], wanted: Mounted) -> None:
    """Refuse a path that the web app answers itself.

    Raises:
        PluginError: It does.
    """
    for route in routes:
        taken = any(answers(route, path) for path in (wanted.path, f"{wanted.path}/"))
        if taken and not answers(route, NOWHERE):
            (point,) = points_of([wanted.by])
            shown = getattr(route, "path", route)
            raise PluginError(
                wanted.by,
                distribution_of(point),
                f"it mounts {wanted.path}, which the web app answers itself ({shown})",
                "move that route, or leave the plugin out by FRAMEWORK_PLUGINS",
            )


def answers(route: BaseRoute, path: str) -> bool:
    """Tell whether a route takes a path, by whatever method."""
    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    return route.matches(scope)[0] is not Match.NONE
