"""Messages as texts: JSON that the gateway can read back."""

import json
from typing import Any

from pydantic_core import from_json, to_jsonable_python

from framework import PayloadError


def worded(value: object) -> str:
    """Return a value as JSON; dataclasses, models, dates and the like are worded too.

    Raises:
        PayloadError: JSON cannot hold it.
    """
    try:
        text = json.dumps(
            value,
            ensure_ascii=False,
            allow_nan=False,
            separators=(",", ":"),
            default=to_jsonable_python,
        )
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise PayloadError(f"JSON cannot hold it: {error}") from error
    return text


def read(message: str | bytes) -> dict[str, Any]:
    """Return the object that a message holds; one that is none says nothing."""
    try:
        value = from_json(message)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def data_in(message: dict[str, Any]) -> dict[str, Any]:
    """Return what a message says."""
    data = message.get("data")
    return data if isinstance(data, dict) else {}
