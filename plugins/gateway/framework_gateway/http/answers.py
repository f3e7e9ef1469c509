"""Answers of the HTTP API."""

from collections.abc import Iterable
from typing import Any

from pydantic_core import to_json
from starlette.responses import PlainTextResponse, Response

from framework import Job, job_json

JSON = "application/json"


def json_answer(value: object, status: int = 200) -> Response:
    """Return an answer that is JSON, compact, as the reference writes it."""
    return written(to_json(value, inf_nan_mode="null"), status)


def written(text: bytes, status: int = 200) -> Response:
    """Return an answer that is JSON already."""
    return Response(text, status, media_type=JSON)


def members_of(jobs: Iterable[Job[Any, Any]]) -> bytes:
    """Return the JSON texts of jobs, as members of an array."""
    return b",".join(map(job_json, jobs))


def done() -> Response:
    """Return the answer where there is nothing else to tell."""
    return PlainTextResponse("OK")
