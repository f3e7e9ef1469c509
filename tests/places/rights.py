"""Which commands the framework sends, read from its code, and which the pages tell to allow."""

import re
from pathlib import Path

from tests.support.servers import Server

REPOSITORY = Path(__file__).parents[2]
CODE = REPOSITORY / "framework"
PAGE = REPOSITORY / "docs/reference/redis.md"
# They name commands that others send, and codes of answers that are also commands.
NOT_SENDING = {"cluster.py", "answers.py"}
IN_LUA = re.compile(r"\"([A-Z]{3,})\"")
IN_PYTHON = re.compile(r"\"([A-Z]{3,})(?: [A-Z]+)?\"")


def commands_in_code(server: Server) -> set[str]:
    """Find every word of our code that the server knows as a command."""
    words: set[str] = set()
    for part in ("store", "client", "worker"):
        for file in (CODE / part).rglob("*.py"):
            if file.name not in NOT_SENDING:
                words |= set(IN_PYTHON.findall(file.read_text()))
        for file in (CODE / part).rglob("*.lua"):
            words |= set(IN_LUA.findall(file.read_text()))
    known = {name.lower() for name in server.ask("COMMAND LIST")}
    return {word.lower() for word in words} & known


def rules_of(user: str) -> list[str]:
    """Read the rules that the page gives a user."""
    (block,) = re.findall(
        rf"^ACL SETUSER {user} (.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    return str(block).replace("\\\n", " ").split()


def allowed_to(user: str) -> set[str]:
    """List the commands among a user's rules."""
    return {rule[1:].partition("|")[0] for rule in rules_of(user) if rule.startswith("+")}
