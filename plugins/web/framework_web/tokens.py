"""Watch tokens: texts that let whoever has them watch one task, for a while.

For browsers: a page's `EventSource` can send no headers, and a page should hold no key.
"""

import hmac
import json
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from framework import Clock, SettingsError
from framework_web.web_settings import WebSettings

# What a signature is for: nothing else that the same secret signs is taken for one.
PURPOSE = "framework-web watch 1"
SHAPE = re.compile(r"(watch|abort)\.([0-9]{1,12})\.([A-Za-z0-9_-]{43})")
LONGEST = timedelta(days=3650)

May = Literal["watch", "abort"]


@dataclass(frozen=True, slots=True)
class WatchToken:
    """A text that lets whoever has it watch one task, and when that ends. Aware, UTC."""

    token: str
    expires_at: datetime


class WatchTokens:
    """Signs watch tokens, and reads them.

    A token names neither the task nor its type: it is worth nothing but where both are asked for.

    Args:
        settings: Have the secrets.
        clock: Tells when a token has ended.
    """

    def __init__(self, settings: WebSettings, clock: Clock) -> None:
        self._secrets = [one.encode() for one in settings.secrets]
        self._lifetime = timedelta(seconds=settings.web_token_lifetime)
        self._clock = clock

    @property
    def are_signed(self) -> bool:
        """Whether there is a secret to sign them with."""
        return bool(self._secrets)

    def sign(
        self, type: str, id: str, *, may_abort: bool, lifetime: timedelta | None = None
    ) -> WatchToken:
        """Return a token of a task.

        Raises:
            SettingsError: There is no secret.
        """
        if not self._secrets:
            raise SettingsError(
                "watch tokens need a secret: set FRAMEWORK_WEB_SECRET, the same for all processes"
            )
        may: May = "abort" if may_abort else "watch"
        lasts = min(self._lifetime if lifetime is None else lifetime, LONGEST)
        # Rounded up: it holds for as long as was asked for.
        expires = -(-(self._clock.now_ms() + int(lasts.total_seconds() * 1000)) // 1000)
        mac = signature(self._secrets[0], may, expires, type, id)
        return WatchToken(f"{may}.{expires}.{mac}", datetime.fromtimestamp(expires, UTC))

    def expiry(self, token: str, type: str, id: str, *, to_abort: bool) -> float | None:
        """Return for how many seconds more a token holds; None if it does not allow this.

        Args:
            token: What was sent.
            type: The type of the task that is asked for.
            id: That task.
            to_abort: Whether it is to be aborted, not just watched.
        """
        found = SHAPE.fullmatch(token)
        if found is None:
            return None
        may, expires, sent = found[1], int(found[2]), found[3]
        # All are compared, and compared whole, so that the time tells nothing.
        matches = [
            hmac.compare_digest(sent, signature(secret, may, expires, type, id))
            for secret in self._secrets
        ]
        left = expires - self._clock.now_ms() / 1000
        is_allowed = any(matches) and left > 0 and (may == "abort" or not to_abort)
        return left if is_allowed else None


def signature(secret: bytes, may: str, expires: int, type: str, id: str) -> str:
    """Return what only those who have the secret can make."""
    signed = json.dumps([PURPOSE, may, expires, type, id]).encode()
    return urlsafe_b64encode(hmac.digest(secret, signed, "sha256")).decode().rstrip("=")


def is_token(text: str) -> bool:
    """Tell whether a text has the shape of a token."""
    return SHAPE.fullmatch(text) is not None
