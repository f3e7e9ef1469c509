"""The queues that a process adds to: each is opened once, under whatever prefix."""

from anyio.abc import TaskGroup

from framework.app.settings import Settings
from framework.client.follower import Follower
from framework.client.line import Line
from framework.client.results import Results
from framework.store.adder import Adder
from framework.store.queue_meta import note_pause_mode
from framework.store.store import Store
from framework.wire.keys import QueueKeys


class Lines:
    """Opens queues.

    Args:
        store: Where they are.
        settings: Say under which prefix, unless another is asked for.

    Attributes:
        adder: Sends all adds of the process; somebody else runs it.
        pause_mode: What to write into queues: nothing, where nobody decided.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        is_set = "pause_mode" in settings.model_fields_set or settings.pause_mode != "v6"
        self.pause_mode = settings.pause_mode if is_set else None
        self.adder = Adder(store)
        self._store = store
        self._prefix = settings.prefix
        self._lines: dict[tuple[str, str], Line] = {}
        self._tasks: TaskGroup | None = None

    def open(self, tasks: TaskGroup) -> None:
        """Let queues be opened; what they need in the background runs in ``tasks``."""
        self._tasks = tasks

    def drop(self, queue: str, prefix: str | None = None) -> None:
        """Keep a queue no longer; who uses it now goes on."""
        self._lines.pop((prefix or self._prefix, queue), None)

    def forget(self) -> None:
        """Forget what belongs to one run of the application."""
        self._lines.clear()
        self._tasks = None

    @property
    def tasks(self) -> TaskGroup:
        """What runs in the background of the application.

        Raises:
            RuntimeError: It does not run.
        """
        if self._tasks is None:
            raise RuntimeError("the application is not running: use it as 'async with'")
        return self._tasks

    def get(self, queue: str, prefix: str | None = None) -> Line:
        """Return a queue; under the prefix of the settings unless another is given."""
        place = prefix or self._prefix, queue
        line = self._lines.get(place)
        if line is None:
            keys = QueueKeys(*place)
            self._store.check_together(keys.base)
            results = Results(self._store, keys, self.tasks)
            follower = Follower(self._store, keys, self.tasks)
            line = Line(self._store, keys, self.adder, results, follower, self.pause_mode)
            self._lines[place] = line
            if self.pause_mode is not None:
                self.tasks.start_soon(note_pause_mode, self._store, keys, self.pause_mode)
        return line
