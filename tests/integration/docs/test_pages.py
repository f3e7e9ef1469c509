"""What the pages say is there, and is as they say."""

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest

from framework.app.settings import Settings, spell_setting
from framework.store.queue_meta import FORMAT, FORMAT_FIELD
from framework.wire.keys import QueueKeys
from framework.wire.retention import AT_LEAST, MARK, OUR_DEFAULT
from framework.wire.scheduler_plan import OVERLAP
from tests.integration.docs.pages import EXAMPLES, PAGES, REPOSITORY, Block, blocks_in

PYTHON_BLOCKS = [block for block in blocks_in(*PAGES) if block.language == "python"]
LINK = re.compile(r"\]\((?!https?://)([^)#\s]+)")
NAMED_FILE = re.compile(r"`((?:tests|framework|docs|app_template)/[\w/.]+)`")


def shown(default: object) -> str:
    """Return a default as the reference shows it."""
    match default:
        case None:
            return ""
        case bool():
            return f"`{str(default).lower()}`"
        case timedelta():
            return f"`{default.total_seconds():g}`"
        case _:
            return f"`{default}`"


def name(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


@pytest.mark.parametrize("block", PYTHON_BLOCKS, ids=lambda block: block.page)
def test_python_in_a_page_is_part_of_an_example(block: Block) -> None:
    assert any(block.text in file.read_text() for file in EXAMPLES.glob("*.py")), block.text


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.py")), ids=lambda file: file.name)
def test_an_example_is_shown_in_full_but_for_its_docstring(file: Path) -> None:
    shown = [block.text for block in PYTHON_BLOCKS if block.text in file.read_text()]
    left = file.read_text()
    for text in sorted(shown, key=len, reverse=True):  # one may stand in another
        left = left.replace(text, "")

    kinds = {type(node) for node in ast.parse(left).body}

    assert kinds <= {ast.Expr}, left


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_and_named_files_lead_somewhere(page: Path) -> None:
    text = page.read_text()
    linked = {page.parent / target for target in LINK.findall(text)}
    # The tutorial names files of the reader's project: a copy of the template, and the examples.
    named = NAMED_FILE.findall(text)
    places = [REPOSITORY, REPOSITORY / "app_template"]

    missing = [path for path in linked if not path.exists()]
    unknown = [
        path
        for path in named
        if not any((place / path).exists() for place in places)
        and not (EXAMPLES / Path(path).name).exists()
    ]

    assert not missing
    assert not unknown


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_is_in_the_reference(field: str) -> None:
    text = (REPOSITORY / "docs/reference/settings.md").read_text()
    spelt = spell_setting(field)
    names = [f"FRAMEWORK_{spelt}", spelt] if spelt.startswith("REDIS_") else [spelt]

    (row,) = re.findall(rf"^\| {', '.join(f'`{one}`' for one in names)} \|.*$", text, re.MULTILINE)

    assert f"| {shown(Settings.model_fields[field].default)} |" in row


def test_every_extra_of_ours_is_in_the_wire_format() -> None:
    text = (REPOSITORY / "docs/reference/wire-format.md").read_text()
    lane = QueueKeys("bull", "mail").lane("<lane>").replace("bull:mail", "Q")

    assert f"`{AT_LEAST}`" in text
    assert f"member `{MARK}`: `{OUR_DEFAULT[MARK]}`" in text
    assert f"`{OVERLAP}`" in text
    assert "`Q:meta:fw:schedules`" in text
    assert f"field `{FORMAT_FIELD}` | `{FORMAT}`" in text
    assert f"`{lane}`" in text


def test_every_target_is_in_the_guide_for_contributors() -> None:
    targets = re.findall(r"^([a-z]+):.*## ", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()

    missing = [target for target in targets if f"`make {target}`" not in text]

    assert missing == ["help"]
