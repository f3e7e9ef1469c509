"""A tree of jobs as a client describes it, checked before anything of it is added."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from framework import Flow, FlowOptions
from framework_gateway.errors import bad_request
from framework_gateway.job_check import check_size, checked_name
from framework_gateway.names import check_queue_name
from framework_gateway.option_check import OPTIONS
from framework_gateway.settings import GatewaySettings
from framework_gateway.shown import demand, refuse_unknown, unexpected

MEMBERS = ("name", "queueName", "data", "opts", "children")
# What a job says that is not for one of a tree: the tree says it.
NOT_OF_A_TREE = frozenset({"parent"})
OnChildFailure = Literal["fail", "continue", "ignore", "remove", "wait"]
ON_FAILURE: dict[str, OnChildFailure] = {
    "failParentOnFailure": "fail",
    "continueParentOnFailure": "continue",
    "ignoreDependencyOnFailure": "ignore",
    "removeDependencyOnFailure": "remove",
}
# What one call may add; more would hold up all others of the Redis.
MOST_JOBS = 10_000


@dataclass(slots=True)
class FlowCheck:
    """Reads trees.

    Args:
        settings: Say which queues there may be.
        admit: Refuses a queue that the client may not use.

    Attributes:
        queues: Those that it has met.
    """

    settings: GatewaySettings
    admit: Callable[[str], None]
    queues: set[str] = field(default_factory=set[str])
    _jobs: int = 0

    def read(self, given: object, *, is_child: bool = False) -> Flow[Any]:
        """Read a tree.

        Raises:
            AnswerError: 400, with the first thing that is wrong; 403.
        """
        self._jobs += 1
        if self._jobs > MOST_JOBS:
            raise bad_request(f"A flow must have at most {MOST_JOBS} jobs")
        if not isinstance(given, dict):
            raise bad_request("Flow must be an object")
        name = checked_name(given.get("name"))
        if not given.get("queueName"):
            raise bad_request("queueName is required")
        refuse_unknown(given, MEMBERS, unexpected())
        queue = check_queue_name(given["queueName"], self.settings)
        self.admit(queue)
        opts, children = given.get("opts"), given.get("children")
        opts = {} if opts is None else opts
        children = [] if children is None else children
        demand("opts", opts, dict, "an object")
        demand("children", children, list, "an array")
        options = self._options(opts, is_child=is_child)
        data = given.get("data", {})
        check_size(name, data, options.get("size_limit"))
        below = [self.read(child, is_child=True) for child in children]
        on_failure = on_failure_of(opts) if is_child else None
        return Flow.named(queue, name, data, below, on_failure=on_failure, **options)

    @staticmethod
    def _options(opts: dict[str, Any], *, is_child: bool) -> FlowOptions:
        known = {name for name in OPTIONS if name not in NOT_OF_A_TREE}
        refuse_unknown(opts, known | (set(ON_FAILURE) if is_child else set()), unexpected("opts."))
        options = FlowOptions(remove_on_complete=None, remove_on_fail=None)
        for name, given in opts.items():
            if name in ON_FAILURE:
                demand(name, given, bool, "a boolean")
            else:
                ours, read = OPTIONS[name]
                options[ours] = read(name, given)  # type: ignore[literal-required]  # the table's names are FlowOptions' own
        return options


def on_failure_of(opts: dict[str, Any]) -> OnChildFailure:
    """Return what a child does to its parent if it fails; unless it says, that waits for ever."""
    return next((ours for name, ours in ON_FAILURE.items() if opts.get(name) is True), "wait")
