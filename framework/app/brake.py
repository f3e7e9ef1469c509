"""When a worker process that died is started again."""

FIRST_SECONDS = 0.1
LONGEST_SECONDS = 10.0


class Brake:
    """Slows down restarts that lead nowhere, and ends them. One for each worker process.

    Args:
        most: How many in a row may lead nowhere.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.in_a_row = 0

        self._refused = 0

    def died(self, *, has_worked: bool, was_refused: bool = False) -> float | None:
        """Return how many seconds to wait before a restart; None: give up.

        Args:
            has_worked: Whether the process was of use before it died.
            was_refused: Whether Redis, or what a provider needs, was not there. However long
                that lasts, it is no fault of the process.
        """
        if has_worked:
            self.in_a_row = self._refused = 0
            return FIRST_SECONDS
        if was_refused:
            self._refused += 1
            return pause_after(self._refused)
        self.in_a_row += 1
        return None if self.in_a_row > self._most else pause_after(self.in_a_row)


def pause_after(count: int) -> float:
    """Return how many seconds to wait after so many ends in a row."""
    return float(min(FIRST_SECONDS * 2 ** min(count - 1, 20), LONGEST_SECONDS))
