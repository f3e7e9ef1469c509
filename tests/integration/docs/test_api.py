"""The table of public names, made from the docstrings.

Written anew by `python -m tests.integration.docs.test_api`, in the repository's folder.
"""

import inspect

import framework
from tests.integration.docs.pages import REPOSITORY

PAGE = REPOSITORY / "docs" / "reference" / "api.md"
COMMAND = "python -m tests.integration.docs.test_api"
HEAD = """# Public names

All that `framework` exports, each with the first line of its docstring; the docstrings say the
rest. A web app also uses `lifespan` and `inject` from `framework.asgi`, and a test that wants a
server of its own `EmbeddedServer` from `framework.server`.

| name | what it is |
| --- | --- |
"""
# A NewType has no docstring of its own.
SAID_HERE = {"JobId": "A job's id: text, of a type of its own."}


def row(name: str) -> str:
    """Return the row of one name."""
    said = SAID_HERE.get(name) or inspect.getdoc(getattr(framework, name)) or ""
    first = said.partition("\n")[0].replace("``", "`").replace("|", "\\|")
    return f"| `{name}` | {first} |\n"


def page() -> str:
    """Return the page as it should be."""
    return HEAD + "".join(row(name) for name in framework.__all__)


def test_the_table_of_public_names_is_as_the_docstrings_say() -> None:
    assert PAGE.read_text() == page(), f"stale; write it anew with: {COMMAND}"


def test_every_public_name_has_a_line_that_ends_as_a_sentence() -> None:
    unsaid = [name for name in framework.__all__ if not row(name).endswith(". |\n")]

    assert not unsaid


if __name__ == "__main__":
    PAGE.write_text(page())
