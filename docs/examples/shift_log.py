"""A plugin: it counts what workers do, tells by HTTP and on the command line."""

from collections import Counter

from framework import Builder, Completed, Failed, on_event


class Tally:
    def __init__(self) -> None:
        self.ended: Counter[str] = Counter()


class Listener:
    def __init__(self, tally: Tally) -> None:
        self.tally = tally

    @on_event("completed")
    def count_completed(self, event: Completed[object]) -> None:
        self.tally.ended["completed"] += 1

    @on_event("failed")
    def count_failed(self, event: Failed[object]) -> None:
        self.tally.ended["failed"] += 1


MOST_FAILED = 100


def look_for_failures(tally: Tally) -> str | None:
    failed = tally.ended["failed"]
    return f"{failed} jobs failed" if failed > MOST_FAILED else None


class ShiftLog:
    contract = 1

    def setup(self, builder: Builder) -> None:
        builder.provide(Tally)
        builder.listen(Listener)
        builder.check("shift log", look_for_failures)
        builder.mount("/shift", "shift_log_web:app")
        builder.command("shift", "shift_log_cli:show", help="Ask a web app for its shift log.")


plugin = ShiftLog()
