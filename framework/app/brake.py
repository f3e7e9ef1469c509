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

    def died(self, *, has_worked: bool) -> float | None:
        """Return how many seconds to wait before a restart; None: give up.

        Args:
            has_worked: Whether the process was of use before it died.
        """
        if has_worked:
            self.in_a_row = 0
            return FIRST_SECONDS
        self.in_a_row += 1
        if self.in_a_row > self._most:
            return None
        return float(min(FIRST_SECONDS * 2 ** (self.in_a_row - 1), LONGEST_SECONDS))
