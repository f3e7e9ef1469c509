"""The table of cron expressions is what Node's parsers compute today."""

import pytest

from tests.support.cron_table import ask_node, read_table
from tests.support.node import Major, both_majors

pytestmark = [pytest.mark.interop, both_majors]

EACH = 7


def test_node_computes_the_table_of_expressions_again(node_major: Major) -> None:
    sample = read_table()[::EACH]

    again = ask_node([row.case for row in sample])

    if node_major == 6:
        assert [row.six for row in again] == [row.six for row in sample]
    else:
        assert [row.five for row in again] == [row.five for row in sample]
