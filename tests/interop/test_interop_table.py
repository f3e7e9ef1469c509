"""`docs/reference/interop.md` and `pitfalls.md` say what the tests prove: no more, no less."""

import ast
import inspect
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from framework import Context, FlowProducer, Queue
from framework.client.held import HeldJob

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "reference" / "interop.md"
PITFALLS = PAGE.with_name("pitfalls.md")
NOT_OF_THE_TABLE = {Path(__file__).name, "test_node_peer.py"}
LINK = re.compile(r'\[\d+\]\((\S+) "(\w+)"\)')
BOTH_MAJORS = "both_majors"
# What a run remembers of its steps, and what it streams, is ours alone: BullMQ has no such thing.
OURS_ALONE = {"step", "remember", "remembered", "stream", "chunks"}


class Proof(NamedTuple):
    file: str
    test: str


class Row(NamedTuple):
    operation: str
    proofs: tuple[Proof, ...]
    majors: str


def rows() -> list[Row]:
    """Read the table's rows, without its heads."""
    cells = [
        [cell.strip() for cell in line.strip("|\n").split(" | ")]
        for line in PAGE.read_text().splitlines()
        if LINK.search(line)
    ]
    return [
        Row(operation.strip(), tuple(proofs_in(ours) + proofs_in(theirs)), majors)
        for operation, ours, theirs, majors in cells
    ]


def proofs_in(cell: str) -> list[Proof]:
    return [Proof((PAGE.parent / path).resolve().name, test) for path, test in LINK.findall(cell)]


def names_in(path: Path) -> list[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [it.name for it in nodes if isinstance(it, functions) and it.name.startswith("test_")]


def runs_on_both(path: Path) -> bool:
    """Tell whether a module's `pytestmark` runs all its tests on both majors."""
    marks = [
        node.value
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
    ]
    return any(BOTH_MAJORS in ast.unparse(mark) for mark in marks)


FILES = [path for path in sorted(HERE.glob("test_*.py")) if path.name not in NOT_OF_THE_TABLE]


@pytest.mark.parametrize("row", [pytest.param(row, id=row.operation) for row in rows()])
def test_each_row_links_tests_that_exist_and_run_on_the_majors_it_names(row: Row) -> None:
    for proof in row.proofs:
        path = HERE / proof.file
        assert proof.test in names_in(path)
        assert row.majors == ("6, 5" if runs_on_both(path) else "6")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_test_has_its_place_in_the_table(path: Path) -> None:
    linked = {proof.test for row in rows() for proof in row.proofs if proof.file == path.name}

    assert set(names_in(path)) == linked


def test_each_pitfall_has_tests_that_exist() -> None:
    rows = [line for line in PITFALLS.read_text().splitlines() if line.startswith("| P")]

    assert [row.split()[1] for row in rows] == [f"P{number}" for number in range(1, 46)]
    for row in rows:
        links = LINK.findall(row)
        assert links, row
        for path, test in links:
            assert test in names_in((PAGE.parent / path).resolve()), test


def test_each_call_of_ours_is_made_beside_node() -> None:
    told = "".join(path.read_text() for path in HERE.glob("*.py"))
    calls = {
        name
        for kind in (Queue, FlowProducer, HeldJob, Context)
        for name, member in inspect.getmembers(kind)
        if callable(member) and not name.startswith("_")
    }

    unproved = {name for name in calls - OURS_ALONE if not re.search(rf"\.{name}\b", told)}

    assert unproved == set()
