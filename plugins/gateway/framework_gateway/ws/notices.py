"""What a worker client is sent, as JSON texts."""

from typing import Any

from pydantic_core import to_json

from framework import Job, data_json, job_json


def delivered(delivery_id: int, job: Job[Any], token: str) -> bytes:
    """Word a delivery."""
    return b'{"id":%d,"data":{"type":"process","payload":%b,"job":%b,"token":%b}}' % (
        delivery_id,
        data_json(job),
        job_json(job),
        to_json(token),
    )


def notice(own_id: int, code: str, message: str, ref: bytes) -> bytes:
    """Word what is wrong with a message of the client's; ``ref`` is its id, a JSON text."""
    return told(own_id, b"notice", code, message, ref)


def revoked(own_id: int, code: str, message: str, ref: int) -> bytes:
    """Word that a delivery is no longer the client's."""
    return told(own_id, b"revoke", code, message, b"%d" % ref)


def told(own_id: int, kind: bytes, code: str, message: str, ref: bytes) -> bytes:
    """Word either."""
    return b'{"id":%d,"data":{"type":"%b","payload":{"code":%b,"message":%b,"ref":%b}}}' % (
        own_id,
        kind,
        to_json(code),
        to_json(message),
        ref,
    )


def happened(own_id: int, event: str, args: bytes) -> bytes:
    """Word an event; its arguments are a JSON text."""
    return b'{"id":%d,"data":{"event":%b,"args":%b}}' % (own_id, to_json(event), args)
