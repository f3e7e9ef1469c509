"""Our side, for the tests that put it beside Node's."""

from tests.support.ours import ours

__all__ = ["ours"]
