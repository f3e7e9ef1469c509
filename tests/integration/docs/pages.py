"""The pages, and the blocks of code in them."""

import re
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).parents[3]
EXAMPLES = REPOSITORY / "docs" / "examples"
PAGES = sorted(
    [
        *REPOSITORY.glob("*.md"),
        *(REPOSITORY / "docs").rglob("*.md"),
        *(REPOSITORY / "plugins").glob("*.md"),
        *(REPOSITORY / "plugins").glob("*/*.md"),
    ]
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block of a page."""

    page: str
    language: str
    text: str


def blocks_in(*pages: Path) -> list[Block]:
    """Return the fenced blocks of pages, in order."""
    return [
        Block(str(page.relative_to(REPOSITORY)), *found.groups())
        for page in pages
        for found in FENCE.finditer(page.read_text())
    ]


def patched(text: str, diff: str) -> str:
    """Apply a block of added lines to the one place where its other lines stand."""
    lines = diff.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line.startswith(" "))
    after = "".join(line[1:] for line in lines)
    assert text.count(before) == 1, f"not in one place:\n{before}"
    return text.replace(before, after)
