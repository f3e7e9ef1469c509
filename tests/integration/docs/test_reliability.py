"""`docs/explanation/reliability.md` claims nothing that no test proves."""

import ast
import re
from pathlib import Path

import pytest

from tests.integration.docs.pages import REPOSITORY

PAGE = REPOSITORY / "docs" / "explanation" / "reliability.md"
CHAOS = REPOSITORY / "tests" / "chaos"
LINK = re.compile(r'\[(long|short)\]\((\S+) "(\w+)"\)')
# The first table; the one of figures proves nothing.
TABLE = PAGE.read_text().partition("| --- | --- | --- |\n")[2].partition("\n\n")[0]
ROWS = TABLE.splitlines()


def named_in(path: Path) -> set[str]:
    """Name the tests of a file."""
    nodes = ast.walk(ast.parse(path.read_text()))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {it.name for it in nodes if isinstance(it, functions) and it.name.startswith("test_")}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:40])
def test_each_claim_links_tests_that_exist(row: str) -> None:
    done, holds, proofs = (cell.strip() for cell in row.strip("|").split(" | "))

    links = LINK.findall(proofs)

    assert done
    assert holds
    assert links
    for _, path, test in links:
        assert test in named_in((PAGE.parent / path).resolve()), test


def test_each_scenario_of_chaos_has_its_row() -> None:
    linked = {test for row in ROWS for _, path, test in LINK.findall(row) if "/chaos/" in path}

    assert linked == {test for path in CHAOS.glob("test_*.py") for test in named_in(path)}
