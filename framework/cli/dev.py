"""``framework dev``: Redis, workers and web app of a package, anew when a file changes."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import anyio
from anyio.abc import TaskGroup, TaskStatus

from framework.app.builder import Builder
from framework.app.misspelt import given_to
from framework.app.plugins import add_plugins
from framework.app.settings import Settings, load_settings
from framework.cli.children import Child
from framework.cli.endings import say
from framework.cli.lifeline import SERVER
from framework.cli.project import Project, read_project
from framework.errors import DiscoveryError, ServerError, SettingsError
from framework.server import DEFAULT_DATA_DIR, EmbeddedServer

# Long enough for a short job, short enough for Ctrl-C to end all within five seconds.
SHUTDOWN_SECONDS = "2"
START_SECONDS = 15.0
SETTLE_SECONDS = 3.0
EXTRAS = {"uvicorn": "web", "watchfiles": "dev"}


def run_dev(package: str, *, port: int | None, reload: bool, web: bool, keep_server: bool) -> int:
    """Run a package until Ctrl-C and return the exit code.

    Raises:
        FrameworkError: The package, a plugin, a setting, the port or the server is not usable.
    """
    here = Path.cwd()
    if find_spec(package.partition(".")[0]) is None:
        raise DiscoveryError(
            f'no package "{package}" in {here}', fix="run this in the project's folder"
        )
    project = read_project(package, here)
    if not web:
        project = Project()
    port = port or project.port
    settings = load_settings()
    builder = Builder()
    add_plugins(builder, settings.plugins)
    serve = to_serve(package, project, builder) if web else None
    if serve is not None:
        need("uvicorn", f"serve {serve[0]}; or use --no-web")
        check_port_is_free(port)
    if reload:
        need("watchfiles", "watch files; or use --no-reload")
    with redis_for_dev(settings, keep=keep_server) as environment:
        environment.update(settings_for_dev(builder))
        environment["FRAMEWORK_SHUTDOWN_TIMEOUT"] = SHUTDOWN_SECONDS
        if settings.log_format == "auto":
            environment["FRAMEWORK_LOG_FORMAT"] = "console"  # for people, even through a pipe
        watched = here if reload else None
        dev = Dev(package, project, port, environment, watched, serve)
        return anyio.run(dev.run)


def settings_for_dev(builder: Builder) -> dict[str, str]:
    """Return what plugins want to be set on a machine of one's own, where it is not."""
    given = given_to(Settings)
    return {name: one for name, one in builder.dev_settings.items() if name.upper() not in given}


def to_serve(package: str, project: Project, builder: Builder) -> list[str] | None:
    """Return what to serve: the project's web app, else what plugins mount; None for nothing."""
    if project.asgi is not None:
        return [project.asgi]
    return [package, "--plugins"] if builder.mounts else None


def need(module: str, purpose: str) -> None:
    """Refuse to start without a package that an extra brings.

    Raises:
        SettingsError: It is not installed.
    """
    if find_spec(module) is None:
        raise SettingsError(
            f"{module} is not installed, which is needed to {purpose}. Install the wheel "
            f'that this came from with its extra "{EXTRAS[module]}"'
        )


def check_port_is_free(port: int) -> None:
    """Refuse a port that somebody listens on.

    Raises:
        ServerError: It is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ServerError(
                f"port {port} is taken or not allowed ({error.strerror}). End what listens "
                f"there, or choose another: PORT={port + 1} framework dev …"
            ) from error


@contextmanager
def redis_for_dev(settings: Settings, *, keep: bool) -> Iterator[dict[str, str]]:
    """Yield the environment that names a Redis; start an embedded server where none is named."""
    if settings.names_redis:
        say("  redis    as REDIS_URL or REDIS_HOST says")
        yield {}
        return
    with EmbeddedServer(DEFAULT_DATA_DIR, life="persistent" if keep else "session") as server:
        address = server.start()
        say(f"  redis    embedded server, data in {DEFAULT_DATA_DIR}/ (process {address.pid})")
        yield {"FRAMEWORK_REDIS_URL": address.url, SERVER: str(DEFAULT_DATA_DIR.absolute())}
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server's end is bounded; let it be


class Dev:
    """The children of one ``framework dev`` and what starts them anew.

    Args:
        package: The package.
        project: What its pyproject says.
        port: Where the web app listens.
        environment: What the children get beside ours.
        watched: The folder to watch; None: no reload.
        serve: What to tell ``framework serve``; None: there is no web app.
    """

    def __init__(
        self,
        package: str,
        project: Project,
        port: int,
        environment: dict[str, str],
        watched: Path | None,
        serve: list[str] | None,
    ) -> None:
        self._project = project
        self._port = port
        self._watched = watched
        self._children = [Child("workers", ["run", package, "--processes", "1"], environment)]
        self._serves = serve is not None
        if serve is not None:
            arguments = ["serve", serve[0], str(port), *serve[1:]]
            self._children.append(Child("web app", arguments, environment))
        self._code = 0
        self._has_run = False
        self._generation = 0
        self._ended = anyio.Event()

    async def run(self) -> int:
        """Run until Ctrl-C, SIGTERM, or a first start that fails; return the exit code."""
        async with anyio.create_task_group() as tasks:
            # Heard to the end: an impatient second Ctrl-C must not leave children behind.
            await tasks.start(self._end_on_signals)
            try:
                if self._watched is not None:
                    tasks.start_soon(self._watch, tasks, self._watched)
                await self._start(tasks)
                if self._serves:
                    tasks.start_soon(self._tell_address)
                tasks.start_soon(self._settle)
                await self._ended.wait()
            finally:
                await self._stop()
                tasks.cancel_scope.cancel()
        return self._code

    async def _end_on_signals(self, *, task_status: TaskStatus[None]) -> None:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            task_status.started()
            async for _ in signals:
                self._ended.set()

    async def _start(self, tasks: TaskGroup) -> None:
        for child in self._children:
            await child.start()
            tasks.start_soon(self._mind, child)

    async def _stop(self) -> None:
        self._generation += 1
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as stopping:
                for child in self._children:
                    stopping.start_soon(child.stop)

    async def _mind(self, child: Child) -> None:
        """Tell when a child ends by itself; a first start that fails ends everything."""
        generation = self._generation
        code = await child.wait()
        if generation != self._generation:
            return
        if self._has_run and self._watched is not None:
            say(f"  the {child.title} ended with {code}; waiting for a change")
            return
        self._code = code or 1
        self._ended.set()

    async def _watch(self, tasks: TaskGroup, folder: Path) -> None:
        from watchfiles import PythonFilter, awatch

        wanted = PythonFilter(extra_extensions=(".toml", ".env"))
        async for changes in awatch(folder, watch_filter=wanted, stop_event=self._ended):
            names = sorted({path.removeprefix(f"{folder}/") for _, path in changes})
            say(f"  reload   {', '.join(names[:3])}{' …' if len(names) > 3 else ''}")  # noqa: PLR2004 - as many as a line holds
            self._has_run = True
            await self._stop()
            await self._start(tasks)

    async def _settle(self) -> None:
        """Give the first start its time to fail."""
        with anyio.move_on_after(START_SECONDS):
            if self._serves:
                await self._listens()
            await anyio.sleep(SETTLE_SECONDS)
        self._has_run = True

    async def _listens(self) -> None:
        while True:
            try:
                stream = await anyio.connect_tcp("127.0.0.1", self._port)
            except OSError:
                await anyio.sleep(0.05)
            else:
                await stream.aclose()
                return

    async def _tell_address(self) -> None:
        await self._listens()
        url = f"http://127.0.0.1:{self._port}"
        say(f"  web      {url}")
        for hint in self._project.hints:
            say(f"  try      {hint.format(url=url, port=self._port)}")
        say("  Ctrl-C ends everything; jobs stay.")
