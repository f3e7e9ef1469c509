import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from framework.app.discovery import Declarations, discover
from framework.errors import DeclarationError, DiscoveryError, ProcessorError

Write = Callable[[str, str], None]

PROCESSOR = """
from framework.declare.processor import processor
from framework.model.job import Job

class {name}: ...

@processor("{queue}")
async def run(job: Job[{name}]) -> None: ...
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write a file below the working directory, which no one has made importable yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [one for one in sys.path if one not in {"", "."}])

    def put(name: str, source: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source).lstrip("\n"))

    yield put
    for name in [one for one in sys.modules if one.partition(".")[0] in {"shop", "single"}]:
        del sys.modules[name]
    importlib.invalidate_caches()


def complaint(package: str, *, only: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> str:
    with pytest.raises(DeclarationError) as caught:
        discover(package, only=only, exclude=exclude)
    return str(caught.value)


def a_shop(write: Write) -> None:
    write("shop/__init__.py", "")
    write("shop/emails/__init__.py", "")
    write("shop/emails/processor.py", PROCESSOR.format(name="Email", queue="emails"))
    write("shop/billing.py", PROCESSOR.format(name="Charge", queue="payments"))
    write(
        "shop/infra.py",
        """
        from framework.declare.route import route
        from framework.di.provider import provider
        from shop.billing import Charge, run as charge

        class Smtp: ...

        @provider
        def smtp() -> Smtp: ...

        alias = smtp
        CHARGES = route("elsewhere", Charge)
        """,
    )
    write("shop/again.py", "from shop.infra import CHARGES, smtp")


def test_everything_declared_in_a_package_is_found_once(write: Write) -> None:
    a_shop(write)

    found = discover("shop")

    assert [(one.queue, one.title) for one in found.processors] == [
        ("payments", "shop.billing.run"),
        ("emails", "shop.emails.processor.run"),
    ]
    assert found.selected == found.processors
    assert [one.target.__name__ for one in found.providers] == ["smtp"]
    assert [(one.queue, one.name) for one in found.routes] == [("elsewhere", "charge")]
    assert found.modules == (
        "shop",
        "shop.again",
        "shop.billing",
        "shop.emails",
        "shop.emails.processor",
        "shop.infra",
    )


def test_schedules_and_routes_inside_of_lists_and_dicts_are_found(write: Write) -> None:
    write("shop/__init__.py", "")
    write("shop/again.py", "from shop.times import FIRST, NIGHTLY")
    write(
        "shop/times.py",
        """
        from datetime import timedelta
        from framework import Every, Schedule, route

        def at(name):
            return Schedule(name, Every(timedelta(minutes=1)), 5, queue="q", name="n")

        FIRST = at("a")
        NIGHTLY = [FIRST, at("b"), (at("c"),)]
        NIGHTLY.append(NIGHTLY)
        BY_NAME = {"d": at("d"), "routes": {route("elsewhere", int, name="n")}}
        """,
    )

    found = discover("shop")

    assert [one.id for one in found.schedules] == ["a", "b", "c", "d"]
    assert [one.queue for one in found.routes] == ["elsewhere"]


def test_the_working_directory_becomes_importable(write: Write) -> None:
    write("shop/__init__.py", "")

    discover("shop")

    assert sys.path[0] == str(Path.cwd())


def test_tests_and_main_are_left_out(write: Write) -> None:
    write("shop/__init__.py", "")
    for name in ("__main__.py", "conftest.py", "tests/__init__.py", "tests/test_shop.py"):
        write(f"shop/{name}", "raise AssertionError")

    assert discover("shop").modules == ("shop",)


def test_a_single_module_will_do(write: Write) -> None:
    write("single.py", PROCESSOR.format(name="Email", queue="emails"))

    found = discover("single")

    assert [one.queue for one in found.processors] == ["emails"]
    assert found.modules == ("single",)


def test_a_package_without_declarations_tells_where_it_looked(write: Write) -> None:
    write("shop/__init__.py", "")

    assert discover("shop") == Declarations("shop", modules=("shop",))


def test_folders_that_are_no_packages_are_told(write: Write, tmp_path: Path) -> None:
    write("shop/__init__.py", "")
    write("shop/emails/processor.py", PROCESSOR.format(name="Email", queue="emails"))
    write("shop/templates/mail.txt", "Hello")

    found = discover("shop")

    assert found.processors == ()
    assert found.skipped == (str(tmp_path / "shop" / "emails"),)


def test_a_nested_package_can_be_searched_alone(write: Write) -> None:
    a_shop(write)

    assert discover("shop.emails").modules == ("shop.emails", "shop.emails.processor")


def test_only_picks_what_runs_and_leaves_the_routes(write: Write) -> None:
    a_shop(write)

    found = discover("shop", only=["emails"])

    assert [one.queue for one in found.selected] == ["emails"]
    assert [one.queue for one in found.processors] == ["payments", "emails"]
    assert [one.queue for one in discover("shop", only=["shop.billing"]).selected] == ["payments"]


def test_what_is_excluded_is_not_even_imported(write: Write) -> None:
    a_shop(write)
    write("shop/heavy/__init__.py", "raise AssertionError")

    found = discover("shop", exclude=["heavy", "emails.processor"])

    assert "shop.emails" in found.modules
    assert "shop.emails.processor" not in found.modules


def queues_run(*, only: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> list[str]:
    return [one.queue for one in discover("shop", only=only, exclude=exclude).selected]


def test_queues_are_picked_and_left_out_as_subpackages_are(write: Write) -> None:
    a_shop(write)

    assert queues_run(only=("payments",)) == ["payments"]
    assert queues_run(only=("payments", "emails")) == ["payments", "emails"]
    assert queues_run(exclude=("payments",)) == ["emails"]
    assert queues_run(only=("billing", "emails"), exclude=("payments",)) == ["emails"]


def test_an_excluded_queue_is_imported_and_declared_all_the_same(write: Write) -> None:
    a_shop(write)

    found = discover("shop", exclude=["payments"])

    assert [one.queue for one in found.processors] == ["payments", "emails"]
    assert "shop.billing" in found.modules
    assert found.is_whole


def test_a_word_that_is_both_means_the_subpackage(write: Write) -> None:
    write("shop/__init__.py", "")
    write("shop/emails.py", PROCESSOR.format(name="Email", queue="payments"))
    write("shop/billing.py", PROCESSOR.format(name="Charge", queue="emails"))

    assert queues_run(only=("emails",)) == ["payments"]
    assert queues_run(exclude=("emails",)) == ["emails"]


def test_an_unknown_word_is_refused(write: Write) -> None:
    a_shop(write)

    assert complaint("shop", only=("emials",)) == (
        "shop has no subpackage and no queue emials (subpackages: again, billing, emails, infra; "
        "queues: emails, payments). Did you mean emails?"
    )
    assert "no queue paymens (" in complaint("shop", exclude=("paymens",))
    assert complaint("shop", exclude=("paymens",)).endswith("Did you mean payments?")
    assert complaint("shop", exclude=("xyz",)).endswith(
        "no queue xyz (subpackages: again, billing, emails, infra; queues: emails, payments). "
        "Name one of these"
    )


def test_a_package_that_is_not_there_is_told_from_a_near_one(write: Write, tmp_path: Path) -> None:
    write("shop/__init__.py", "")

    text = complaint("shpo")

    assert text.startswith(f"no package named shpo (looked in {tmp_path}, ")
    assert text.endswith(" and the installed packages). Did you mean shop?")


def test_a_package_that_is_not_there_at_all(write: Write) -> None:
    assert complaint("xyzzy").endswith(
        " and the installed packages). Run this in the folder that holds it, or install it"
    )


def test_a_package_in_src_is_pointed_out(write: Write) -> None:
    write("src/xyzzy/__init__.py", "")

    assert complaint("xyzzy").endswith("It is in src: install the project, or run this in src")


def test_a_subpackage_that_is_not_there(write: Write, tmp_path: Path) -> None:
    a_shop(write)

    assert complaint("shop.emials") == (
        f"no package named shop.emials (looked in {tmp_path}/shop). Did you mean shop.emails?"
    )
    assert complaint("shop.emials.inbound") == (
        f"no package named shop.emials (for shop.emials.inbound) (looked in {tmp_path}/shop). "
        "Did you mean shop.emails?"
    )


def test_a_single_module_has_no_subpackage(write: Write) -> None:
    write("single.py", "")

    assert complaint("single.mail") == (
        "no package named single.mail: single is a single module. Write single"
    )


@pytest.mark.parametrize("path", ["shop/mail.py", "./shop/mail", "shop/mail/"])
def test_a_path_is_no_package(path: str) -> None:
    assert complaint(path) == f'"{path}" is no package\'s name. Write shop.mail'


def test_what_is_neither_name_nor_path() -> None:
    assert complaint("my-shop") == (
        '"my-shop" is no package\'s name. Write it as in an import statement: shop.mail'
    )


def test_a_package_that_hides_behind_the_standard_library(write: Write, tmp_path: Path) -> None:
    write("email/__init__.py", "")
    import email  # noqa: PLC0415

    assert complaint("email") == (
        f"email is {email.__file__}, not {tmp_path}/email/__init__.py. "
        "Rename your package: another one of its name is imported first"
    )


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "import sys\nimport xyzzy.deep",
            "shop/mail.py:2: cannot import shop.mail: ModuleNotFoundError: No module named "
            "'xyzzy'. Install what provides xyzzy, or correct the import",
        ),
        (
            "from shop import lib\nimport shop.absent",
            "shop/mail.py:2: cannot import shop.mail: ModuleNotFoundError: No module named "
            "'shop.absent'. Correct the import: there is no module shop.absent",
        ),
        (
            "from json import absent",
            "shop/mail.py:1: cannot import shop.mail: ImportError: cannot import name 'absent' "
            f"from 'json' ({sys.modules['json'].__file__}). "
            "Correct it there, or exclude the module",
        ),
        (
            "x = 1\ndef broken(:\n    pass",
            "shop/mail.py:2: cannot import shop.mail: SyntaxError: invalid syntax. "
            "Correct it there, or exclude the module",
        ),
        (
            "import json\n\nX = json.loads('x')",
            "shop/mail.py:3: cannot import shop.mail: JSONDecodeError: Expecting value: "
            "line 1 column 1 (char 0). Correct it there, or exclude the module",
        ),
        (
            "import sys\nsys.exit(3)",
            "shop/mail.py:2: cannot import shop.mail: SystemExit: 3. Importing it ends the "
            'process: move that below if __name__ == "__main__"',
        ),
        (
            "from shop.lib import fail\n\nfail()",
            "shop/lib.py:2: cannot import shop.lib: KeyError: 'setting'. "
            "Correct it there, or exclude the module",
        ),
        (
            "from datetime import timedelta\n"
            "from framework.model.options import Fixed\n"
            "BACKOFF = Fixed(timedelta(-1))",
            "shop/mail.py:3: cannot import shop.mail: OptionsError: backoff: its delay must not "
            "be negative, got -86400 s. Correct it there, or exclude the module",
        ),
    ],
)
def test_a_module_that_fails_to_import_is_named(write: Write, source: str, text: str) -> None:
    write("shop/__init__.py", "")
    write("shop/lib.py", "def fail() -> None:\n    raise KeyError('setting')")
    write("shop/mail.py", source)

    with pytest.raises(DiscoveryError) as caught:
        discover("shop")

    assert str(caught.value) == text
    assert caught.value.__cause__ is not None


def test_modules_that_import_each_other_are_named(write: Write) -> None:
    write("shop/__init__.py", "")
    write("shop/a.py", "from shop.b import B\nclass A: ...")
    write("shop/b.py", "from shop.a import A\nclass B: ...")

    text = complaint("shop")

    assert text.startswith("shop/b.py:1: cannot import shop.b: ImportError: cannot import name 'A'")
    assert text.endswith("Two modules import each other: move what both need into a third")


def test_an_import_that_fails_in_the_package_itself_is_not_taken_for_its_absence(
    write: Write,
) -> None:
    write("shop/__init__.py", "import shop.absent")

    assert complaint("shop") == (
        "shop/__init__.py:1: cannot import shop: ModuleNotFoundError: No module named "
        "'shop.absent'. Correct the import: there is no module shop.absent"
    )


def test_a_wrong_declaration_keeps_its_own_words(write: Write) -> None:
    write("shop/__init__.py", "")
    write("shop/mail.py", PROCESSOR.format(name="Email", queue="a:b"))

    with pytest.raises(ProcessorError) as caught:
        discover("shop")

    assert str(caught.value).startswith('shop/mail.py:6: "a:b" cannot name a queue')


def test_a_wrong_value_gets_the_place_where_it_is_written(write: Write) -> None:
    write("shop/__init__.py", "")
    write(
        "shop/mail.py",
        """
        from datetime import timedelta
        from framework.declare.mark import Limiter
        LIMITER = Limiter(0, timedelta(seconds=1))
        """,
    )

    assert complaint("shop").startswith("shop/mail.py:3: Limiter(max=0, ")


def test_a_processor_of_the_wrong_shape_is_found(write: Write) -> None:
    write("shop/__init__.py", "")
    write(
        "shop/mail.py",
        """
        from framework.declare.processor import processor

        @processor("mail")
        class Mail: ...
        """,
    )

    assert complaint("shop").startswith("shop/mail.py:3: Mail has nothing that runs a job")


def test_two_processors_on_one_queue_are_both_named(write: Write) -> None:
    write("shop/__init__.py", "")
    write("shop/a.py", PROCESSOR.format(name="Email", queue="mail"))
    write("shop/b.py", PROCESSOR.format(name="Email", queue="mail"))

    assert complaint("shop") == (
        'shop/b.py:6: queue "mail" has two processors: shop.a.run (shop/a.py:6) and '
        "shop.b.run (shop/b.py:6). Put both on one class, as methods with "
        '@handles("name"), or give one another queue'
    )


def test_values_that_answer_for_others_are_left_alone(write: Write) -> None:
    write("shop/__init__.py", "")
    write(
        "shop/proxy.py",
        """
        class Proxy:
            @property
            def __class__(self):
                raise RuntimeError("no request")

            def __getattr__(self, name):
                raise RuntimeError("no request")

        request = Proxy()
        """,
    )

    assert discover("shop").processors == ()


def test_schedules_are_found_where_they_are_declared(write: Write) -> None:
    write("shop/__init__.py", "")
    write(
        "shop/times.py",
        """
        from datetime import timedelta
        from framework import Every, Schedule

        pulse = Schedule("pulse", Every(timedelta(minutes=1)), 1, queue="demo")
        again = pulse
        """,
    )
    write("shop/more.py", "from shop.times import pulse")

    found = discover("shop")

    assert [one.id for one in found.schedules] == ["pulse"]
    assert found.is_whole
    assert not discover("shop", exclude=["more"]).is_whole


def test_a_schedule_that_cannot_be_names_its_line(write: Write) -> None:
    write("shop/__init__.py", "")
    write(
        "shop/times.py",
        """
        from framework import Cron, Schedule

        nightly = Schedule("nightly", Cron("0 25 * * *"), 1)
        """,
    )

    said = complaint("shop")

    assert said.startswith("shop/times.py:3: the cron expression '0 25 * * *' cannot be used")
