"""Plugins as users install them: found by their entry points, all set up or nothing started."""

from importlib import import_module
from importlib.metadata import entry_points

import pytest
from pydantic import BaseModel

from framework import Application, Job, PluginError, processor
from framework.errors import StartError
from tests.support.apps import Open, all_finished, declared, settings_of, working
from tests.support.plugins import Install

TALLY = """
    from framework import Completed, Job, QueueEvent, on_event, on_queue_event, processor

    class Tally:
        def __init__(self) -> None:
            self.done: list[str] = []
            self.added = 0

    class Listener:
        def __init__(self, tally: Tally) -> None:
            self.tally = tally

        @on_event("completed")
        def count(self, event: Completed[object, object]) -> None:
            self.tally.done.append(f"{event.job.queue} {event.result}")

        @on_queue_event("added")
        async def note(self, event: QueueEvent) -> None:
            self.tally.added += 1

    @processor("asking")
    class Asking:
        def __init__(self, tally: Tally) -> None:
            self.tally = tally

        async def process(self, job: Job[int]) -> None:
            self.tally.done.append("asked")

    class Plugin:
        contract = 1

        def setup(self, builder) -> None:
            builder.provide(Tally)
            builder.listen(Listener)

    plugin = Plugin()
"""


def plugin(body: str, contract: str = "contract = 1") -> dict[str, str]:
    """A plugin of one module, whose setup does this."""
    source = f"class Plugin:\n    {contract}\n    def setup(self, builder):\n        {body}\n"
    return {"a_plugin.py": f"{source}plugin = Plugin()\n"}


class Number(BaseModel):
    number: int


@processor("doubles")
async def double(job: Job[Number]) -> int:
    return 2 * job.data.number


@processor("halves")
async def halve(job: Job[str]) -> str:
    return job.data[: len(job.data) // 2]


async def test_a_listener_hears_the_jobs_of_all_queues(open_app: Open, install: Install) -> None:
    install("tally", {"a_tally.py": TALLY})
    app = open_app(double, halve)
    tally_kind = import_module("a_tally").Tally

    async with working(app):
        await app.queue("doubles").add("n", {"number": 4})
        await app.queue("halves").add("h", "abcd")
        await all_finished(app, "doubles")
        await all_finished(app, "halves")

        tally = await app.get(tally_kind)

    assert sorted(tally.done) == ["doubles 8", "halves ab"]
    assert tally.added == 2


async def test_a_processor_is_injected_with_what_a_plugin_provides(
    open_app: Open, install: Install
) -> None:
    install("tally", {"a_tally.py": TALLY})
    tally = import_module("a_tally")
    app = open_app(tally.Asking)
    async with working(app):
        await app.queue("asking").add("n", 1)
        await all_finished(app, "asking")

        assert (await app.get(tally.Tally)).done[0] == "asked"


@pytest.mark.parametrize(
    ("modules", "words"),
    [
        ({"a_plugin.py": "import not_there_at_all"}, "cannot be imported: ModuleNotFoundError"),
        ({"a_plugin.py": "raise SystemExit('no licence')"}, "SystemExit: no licence"),
        ({"a_plugin.py": "plugin = object()"}, "a_plugin:plugin has no setup(builder)"),
        (plugin("1/0"), "its setup failed: ZeroDivisionError: division by zero"),
        (plugin("pass", "pass"), "Write contract = 1 beside its setup"),
        (plugin("pass", "contract = 2"), "an older of framework-broken 1.2"),
        (plugin("pass", "contract = 0"), "newer release of framework-broken 1.2"),
        (plugin("return 7"), "no plain function that returns nothing"),
        (plugin("builder.provide(7)"), "provide() cannot take a int"),
        (plugin("builder.provide(lambda: 7)"), "has no return annotation"),
        (plugin('builder.provide("a text")'), "not the place of anything"),
        (plugin('builder.provide("os:environ")'), "provide() cannot take"),
        (plugin('builder.provide("os:no_such")'), "os:no_such cannot be imported"),
        (plugin("builder.listen(int)"), "it hears nothing"),
        (plugin('builder.mount("tasks", 1)'), 'mount("tasks")'),
        (plugin('builder.mount("/tasks", "a web")'), "not the place of anything"),
        (plugin('builder.command("Run", "m:f", help="")'), 'command("Run")'),
        (plugin('[builder.check("c", print) for _ in "12"]'), "print"),
        (plugin('[builder.check("c", lambda: None) for _ in "12"]'), 'the check "c" is there'),
    ],
)
def test_a_broken_plugin_is_named_and_nothing_starts(
    open_app: Open, install: Install, modules: dict[str, str], words: str
) -> None:
    install("broken", modules)

    with pytest.raises(PluginError) as caught:
        open_app(double)

    text = str(caught.value)
    assert text.startswith('plugin "broken" (framework-broken 1.2): ')
    assert words in text
    others = {one.name for one in entry_points(group="framework.plugins")} - {"broken"}
    assert f"leave it out: FRAMEWORK_PLUGINS={','.join(sorted(others)) or 'none'}" in text
    assert caught.value.plugin == "broken"


async def test_a_provider_may_be_named_and_is_imported_with_the_application(
    open_app: Open, install: Install
) -> None:
    source = TALLY.replace("builder.provide(Tally)", 'builder.provide("a_tally:Tally")')
    install("tally", {"a_tally.py": source})
    app = open_app(double)
    kind = import_module("a_tally").Tally

    async with app:
        assert isinstance(await app.get(kind), kind)


async def test_what_a_plugin_provides_and_cannot_be_made_ends_the_start(
    open_app: Open, install: Install
) -> None:
    source = """
        class Broken:
            def __init__(self) -> None:
                raise OSError("no such disk")
        class Plugin:
            contract = 1
            def setup(self, builder):
                builder.provide(Broken, eager=True)
        plugin = Plugin()
    """
    install("disk", {"a_disk.py": source})

    with pytest.raises(StartError, match=r'a_disk.py:4: what plugin "disk" needs .* no such disk'):
        async with open_app(double):
            pass


def test_two_distributions_that_bring_the_same_plugin_are_both_named(
    open_app: Open, install: Install
) -> None:
    install("tally", {"a_tally.py": TALLY})
    other = install("other", {"b_tally.py": TALLY})
    (other / "framework_other-1.2.dist-info" / "entry_points.txt").write_text(
        "[framework.plugins]\ntally = b_tally:plugin\n"
    )

    with pytest.raises(PluginError, match=r"framework-\w+ 1.2.*framework-\w+ 1.2 brings"):
        open_app(double)


def test_plugins_are_narrowed_or_turned_off(
    open_app: Open, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("tally", {"a_tally.py": TALLY})
    install("broken", {"a_plugin.py": "import not_there_at_all"})

    assert open_app(double, plugins=("tally",)).builder.listeners
    assert not open_app(double, plugins=()).builder.listeners
    monkeypatch.setenv("FRAMEWORK_PLUGINS", " tally ")
    assert open_app(double).builder.listeners
    monkeypatch.setenv("FRAMEWORK_PLUGINS", "none")
    assert not open_app(double).builder.listeners
    monkeypatch.setenv("FRAMEWORK_PLUGINS", "all")
    with pytest.raises(PluginError, match=r"or leave it out: FRAMEWORK_PLUGINS=(\w+,)*tally"):
        open_app(double)


def test_a_plugin_that_is_not_installed_is_not_missed_in_silence(
    open_app: Open, install: Install
) -> None:
    install("tally", {"a_tally.py": TALLY})

    with pytest.raises(PluginError, match=r'plugin "taly": it is not .* mean tally\? Installed: '):
        open_app(double, plugins=("taly",))


async def test_a_health_check_of_a_plugin_makes_unready(
    redis_url: str, prefix: str, install: Install
) -> None:
    source = """
        from framework import Settings
        class Disk:
            problem = None
        async def look(disk: Disk, settings: Settings) -> str | None:
            return disk.problem
        def fail() -> str | None:
            raise OSError("gone")
        class Plugin:
            contract = 1
            def setup(self, builder):
                builder.provide(Disk)
                builder.check("disk", look)
                builder.check("tape", fail)
        plugin = Plugin()
    """
    install("disk", {"a_disk.py": source})
    app = Application(declared(double), settings=settings_of(redis_url, prefix))
    disk = import_module("a_disk").Disk

    async with app:
        first = await app.health()
        (await app.get(disk)).problem = "it is full"
        second = await app.health()

    assert first.checks == {"disk": None, "tape": "OSError: gone"}
    assert second.problems == ("disk: it is full", "tape: OSError: gone")
    assert not second.is_ready
