"""What functions of the Queue channel share: JSON texts, and the least whole number."""

from framework_gateway.option_check import MAX_INT

NULL = b"null"
LEAST = -MAX_INT


def array(texts: list[bytes]) -> bytes:
    """Return a JSON array of JSON texts."""
    return b"[%b]" % b",".join(texts)
