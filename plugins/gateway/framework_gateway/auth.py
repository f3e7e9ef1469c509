"""Who may enter: tokens, what each may do, and where a request carries one."""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from pydantic import SecretStr, TypeAdapter, ValidationError

from framework import SettingsError
from framework_gateway.settings import GatewaySettings

SCHEME = "bearer"
EVERYTHING = ("*",)


class Channel(StrEnum):
    """A way into a queue."""

    QUEUE = "queue"
    WORKER = "worker"
    EVENTS = "events"
    HTTP = "http"
    CALLBACK = "callback"


@dataclass(frozen=True, slots=True)
class Token:
    """A secret, and what whoever has it may do: everything unless said otherwise.

    Attributes:
        secret: What is sent.
        queues: Names of queues, with ``*`` for any letters.
        channels: Ways in: the WebSocket channels ``queue``, ``worker`` and ``events``, ``http``
            for all of ``/queues`` and ``/flows``, ``callback`` for ``/workers``.
    """

    secret: SecretStr
    queues: Sequence[str] = EVERYTHING
    channels: Sequence[Channel] = tuple(Channel)

    def may(self, channel: Channel, queue: str | None = None) -> bool:
        """Tell whether it opens a channel, of a queue if one is named."""
        if channel not in self.channels:
            return False
        return queue is None or any(fnmatchcase(queue, one) for one in self.queues)


class Guard:
    """Finds the token that was sent among those that there are.

    Args:
        tokens: All of them; none: nobody may enter.
    """

    def __init__(self, tokens: Iterable[Token]) -> None:
        self._tokens = [one for one in tokens if one.secret.get_secret_value()]

    @property
    def has_tokens(self) -> bool:
        """Whether anybody may enter."""
        return bool(self._tokens)

    def find(self, sent: str | None) -> Token | None:
        """Return the token that was sent; all are compared, so that the time tells nothing."""
        given = (sent or "").encode(errors="replace")
        found: Token | None = None
        for token in self._tokens:
            if hmac.compare_digest(given, token.secret.get_secret_value().encode()):
                found = token
        return found

    def revoke(self, secret: str) -> Token | None:
        """Let a token open nothing from now on; return it, if there was one."""
        token = self.find(secret)
        if token is not None:
            self._tokens.remove(token)
        return token

    def holds(self, token: Token) -> bool:
        """Tell whether a token still counts."""
        return any(one is token for one in self._tokens)


def bearer_in(headers: Mapping[str, str]) -> str | None:
    """Return what the header ``Authorization: Bearer …`` carries, or None."""
    scheme, _, sent = headers.get("authorization", "").strip().partition(" ")
    return sent.strip() if scheme.lower() == SCHEME and sent.strip() else None


def split_tokens(text: str) -> list[Token]:
    """Return the tokens of a text with commas between them."""
    return [Token(SecretStr(one.strip())) for one in text.split(",") if one.strip()]


def tokens_of(settings: GatewaySettings) -> list[Token]:
    """Return the tokens that the settings name.

    Raises:
        SettingsError: ``AUTH_SCOPES`` cannot be used.
    """
    tokens = split_tokens(settings.auth_tokens.get_secret_value())
    tokens += split_tokens(settings.auth_keys.get_secret_value())
    return tokens + scoped_tokens(settings.auth_scopes.get_secret_value())


SCOPES: TypeAdapter[list[dict[str, Any]]] = TypeAdapter(list[dict[str, Any]])
TOKENS: TypeAdapter[list[Token]] = TypeAdapter(list[Token])


def scoped_tokens(text: str) -> list[Token]:
    """Read tokens with scopes.

    Raises:
        SettingsError: The text is not of the shape; it is not shown.
    """
    try:
        scopes = SCOPES.validate_json(text)
        told = [{"secret" if key == "token" else key: one[key] for key in one} for one in scopes]
        unknown = {key for one in told for key in one} - {"secret", "queues", "channels"}
        if not unknown:
            return TOKENS.validate_python(told)
    except ValidationError:
        pass
    raise SettingsError(
        'AUTH_SCOPES: not of the shape [{"token": "…", "queues": ["mail"], "channels": ["queue"]}]'
        f"; channels are {', '.join(Channel)}. Mend it in the environment or in .env"
    )
