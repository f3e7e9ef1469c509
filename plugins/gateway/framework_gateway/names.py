"""Which names queues may have."""

from framework_gateway.errors import bad_request
from framework_gateway.settings import GatewaySettings


def check_queue_name(name: object, settings: GatewaySettings) -> str:
    """Return the name of a queue.

    Raises:
        AnswerError: 400: it is too short, too long, or has a colon.
    """
    if not isinstance(name, str):
        raise bad_request("queue name must be a string")
    least, most = settings.min_queue_name_length, settings.max_queue_name_length
    if len(name) < least:
        raise bad_request(f"queue name must be at least {least} characters long")
    if len(name) > most:
        raise bad_request(f"queue name must be at most {most} characters long")
    if ":" in name:
        raise bad_request("queue name cannot contain :")
    return name
