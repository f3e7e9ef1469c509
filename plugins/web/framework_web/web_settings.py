"""What the environment says of this plugin."""

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from framework import load_settings

LEAST_SECRET = 16
ORIGIN = re.compile(r"https?://(\[[0-9a-f:]+\]|[a-z0-9._-]+)(:[0-9]+)?")


class WebSettings(BaseSettings):
    """What the environment says of this plugin. Ask for it by its type.

    Attributes:
        web_keys: Whoever sends one of these as ``Authorization: Bearer …`` may ask; with commas.
        web_open: Let everybody ask, where neither keys nor a guard is set; ``local``: this machine.
        web_secret: Signs watch tokens; with commas, the first signs and all are accepted.
        web_token_lifetime: For how many seconds a watch token holds.
        web_origins: Other sites whose pages may ask, such as ``https://shop.example``; with commas.
        web_body_limit: The most bytes of a body.
        web_rate_limit: How often a minute one client may ask; 0: as often as it likes.
        web_stream_limit: How many streams one client may have open; 0: as many as it likes.
        web_heartbeat: Seconds of silence after which a stream sends a comment.
    """

    model_config = SettingsConfigDict(env_prefix="FRAMEWORK_", env_file=".env", extra="ignore")

    web_keys: SecretStr = SecretStr("")
    web_open: bool | Literal["local"] = False
    web_secret: SecretStr = SecretStr("")
    web_token_lifetime: float = Field(24 * 3600.0, gt=0)
    web_origins: str = ""
    web_body_limit: int = Field(1024 * 1024, ge=0)
    web_rate_limit: int = Field(1000, ge=0)
    web_stream_limit: int = Field(500, ge=0)
    web_heartbeat: float = Field(15.0, gt=0)

    @field_validator("web_secret")
    @classmethod
    def _is_long(cls, secret: SecretStr) -> SecretStr:
        if any(len(one) < LEAST_SECRET for one in listed(secret.get_secret_value())):
            raise ValueError(
                f"a secret has {LEAST_SECRET} characters at least; make one with "
                "python -c 'import secrets; print(secrets.token_urlsafe())'"
            )
        return secret

    @field_validator("web_origins")
    @classmethod
    def _are_origins(cls, origins: str) -> str:
        for one in listed(origins):
            if not ORIGIN.fullmatch(one):
                raise ValueError(
                    f"{one!r} is no origin: name each one, without a path, as in "
                    "https://shop.example"
                )
        return origins

    @property
    def keys(self) -> list[str]:
        """The keys, each by itself."""
        return listed(self.web_keys.get_secret_value())

    @property
    def secrets(self) -> list[str]:
        """The secrets, each by itself."""
        return listed(self.web_secret.get_secret_value())

    @property
    def origins(self) -> list[str]:
        """The origins, each by itself."""
        return listed(self.web_origins)


def listed(text: str) -> list[str]:
    """Return what stands between commas."""
    return [one.strip() for one in text.split(",") if one.strip()]


def web_settings() -> WebSettings:
    """Read the settings.

    Raises:
        SettingsError: One cannot be used; it is named, its value is not shown.
    """
    return load_settings(WebSettings)
