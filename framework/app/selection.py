"""Which processors run: picked, or left out, by the names of subpackages and queues."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from framework.app.modules import is_within, within
from framework.declare.spec import ProcessorSpec
from framework.errors import DiscoveryError


@dataclass(frozen=True, slots=True)
class Selection:
    """The words that say what runs; each is a subpackage or, if there is none, a queue.

    Attributes:
        package: The package.
        only: What runs alone; empty for all.
        exclude: What does not run.
        names: The full names of the modules below the package, those not imported too.
    """

    package: str
    only: Sequence[str] = ()
    exclude: Sequence[str] = ()
    names: frozenset[str] = frozenset()

    @property
    def is_whole(self) -> bool:
        """Whether all of the package was imported: no subpackage is excluded."""
        return not any(within(self.package, word) in self.names for word in self.exclude)

    def of(self, processors: Sequence[ProcessorSpec]) -> tuple[ProcessorSpec, ...]:
        """Return those that run.

        Raises:
            DiscoveryError: A word is neither a subpackage nor the queue of a processor.
        """
        queues = sorted({one.queue for one in processors})
        for word in (*self.only, *self.exclude):
            if within(self.package, word) not in self.names and word not in queues:
                raise self._unknown(word, queues)
        return tuple(
            one
            for one in processors
            if (not self.only or any(self._means(word, one) for word in self.only))
            and not any(self._means(word, one) for word in self.exclude)
        )

    def _means(self, word: str, processor: ProcessorSpec) -> bool:
        name = within(self.package, word)
        if name in self.names:
            return is_within(processor.target.__module__, name)
        return processor.queue == word

    def _unknown(self, word: str, queues: Sequence[str]) -> DiscoveryError:
        parts = sorted(one.removeprefix(f"{self.package}.") for one in self.names)
        asked = word.removeprefix(f"{self.package}.")
        near = difflib.get_close_matches(asked, list(dict.fromkeys([*parts, *queues])), n=1)
        top = ", ".join(one for one in parts if "." not in one) or "none"
        return DiscoveryError(
            f"{self.package} has no subpackage and no queue {asked} "
            f"(subpackages: {top}; queues: {', '.join(queues) or 'none'})",
            fix=f"did you mean {near[0]}?" if near else "name one of these",
        )
