"""What each scenario was and led to, told at the end of a run in words."""

from collections.abc import Callable, Iterable

import pytest

TOLD = pytest.StashKey[list[tuple[str, list[str]]]]()
Tell = Callable[[Iterable[str]], None]


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """Note what was done and what was measured, for the summary."""
    told = request.config.stash.setdefault(TOLD, [])
    name = str(request.node.name).removeprefix("test_").replace("_", " ")
    return lambda lines: told.append((name, list(lines)))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print what the scenarios noted."""
    for name, lines in config.stash.get(TOLD, []):
        terminalreporter.section(name, sep="-")
        for line in lines:
            terminalreporter.write_line(f"  {line}")
