"""What the environment says of this plugin, and who may ask it anything."""

import hmac
from http import HTTPStatus
from typing import Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.requests import Request

from framework_web.local import is_local
from framework_web.problems import ProblemError

SCHEME = "bearer"


class WebSettings(BaseSettings):
    """What the environment says of this plugin.

    Attributes:
        web_keys: Whoever sends one of these as ``Authorization: Bearer …`` may ask; with commas.
        web_open: Let everybody ask, without a key; ``local``: where no keys are set, let this
            machine ask.
        web_body_limit: The most bytes of a body.
        web_heartbeat: Seconds of silence after which a stream sends a comment.
    """

    model_config = SettingsConfigDict(env_prefix="FRAMEWORK_", env_file=".env", extra="ignore")

    web_keys: SecretStr = SecretStr("")
    web_open: bool | Literal["local"] = False
    web_body_limit: int = 1024 * 1024
    web_heartbeat: float = 15.0


class Guard:
    """Decides who may ask.

    Args:
        settings: Say who.
    """

    def __init__(self, settings: WebSettings) -> None:
        self._open = settings.web_open
        given = settings.web_keys.get_secret_value().split(",")
        self._keys = [key.strip().encode() for key in given if key.strip()]

    def check(self, request: Request) -> None:
        """Let a request pass.

        Raises:
            ProblemError: It may not.
        """
        if self._open is True or (not self._keys and self._open and is_local(request)):
            return
        if not self._keys:
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                "Nobody may ask yet: set FRAMEWORK_WEB_KEYS, or FRAMEWORK_WEB_OPEN=true.",
            )
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        sent = given.strip().encode()
        # All are compared, so that the time tells nothing.
        matches = [hmac.compare_digest(sent, key) for key in self._keys]
        if scheme.lower() != SCHEME or not any(matches):
            raise ProblemError(
                HTTPStatus.UNAUTHORIZED,
                "A key is needed: Authorization: Bearer <key>.",
                headers={"WWW-Authenticate": "Bearer"},
            )
