"""Probes of a running process, as an orchestrator sends them."""

import json
import urllib.error
import urllib.request
from typing import Any, NamedTuple

from tests.support.command import Command


class Answer(NamedTuple):
    """What a probe was told."""

    code: int
    body: dict[str, Any]


def port_of(run: Command) -> int:
    """Wait until a command answers probes, and read where."""
    run.says("probes answered")
    (line,) = [one for one in run.lines if "probes answered" in one]
    return int(json.loads(line)["port"])


def probe(port: int, path: str, *, timeout: float = 3) -> Answer:
    """Send one probe; code 0 is no answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=timeout) as reply:
            return Answer(reply.status, json.loads(reply.read()))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, json.loads(error.read()))
    except OSError as error:
        return Answer(0, {"problems": [str(error)]})
