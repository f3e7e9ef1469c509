"""Names of queues and jobs: which are allowed, and which a payload class gives."""

import re
import types
from typing import get_args, get_origin

from framework.di.expression import UNIONS, bare, spell_name
from framework.errors import DeclarationError

EDGES = re.compile(r"(?<=[^\W_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][^\W\d_A-Z])")
GAPS = re.compile(r"[\W_]+")


def check_queue(queue: object, *, where: str, error: type[DeclarationError]) -> None:
    """Refuse what cannot name a queue: BullMQ's keys use ``:`` between their parts."""
    if not isinstance(queue, str):
        raise error(
            f"a queue's name is text, got {queue!r}",
            where=where,
            fix='write its name first: @processor("mail")',
        )
    if not queue.strip() or ":" in queue:
        raise error(
            f'"{queue}" cannot name a queue',
            where=where,
            fix="use a name that is not empty and has no colon",
        )


def check_name(name: object, *, where: str, error: type[DeclarationError]) -> None:
    """Refuse what cannot name a job."""
    if not isinstance(name, str) or not name:
        raise error(
            f"a job's name is text and not empty, got {name!r}",
            where=where,
            fix='write it as in "send-mail"',
        )


def job_name_of(payload: object) -> str:
    """Return the name of jobs with such a payload: its class in kebab case.

    ``SendMail2`` is ``send-mail2``, ``HTTPServer`` is ``http-server``, ``dict[str, Any]`` is
    ``dict`` and ``Card | Cash`` is ``card-or-cash``.
    """
    stripped = bare(payload)
    if get_origin(stripped) in UNIONS:
        arms = [arm for arm in get_args(stripped) if arm is not types.NoneType]
        return "-or-".join(job_name_of(arm) for arm in arms)
    return kebab(spell_name(get_origin(stripped) or stripped).rpartition(".")[2])


def kebab(name: str) -> str:
    """Return a name in kebab case."""
    return GAPS.sub("-", EDGES.sub("-", name)).strip("-").lower()
