"""What the environment and ``.env`` decide. Every field has its words here."""

from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from framework.errors import SettingsError

PREFIX = "FRAMEWORK_"
DEFAULT_URL = "redis://localhost:6379"


def read_seconds(value: object) -> object:
    """Take plain numbers of seconds, ``2`` or ``0.5``; pydantic reads the other forms."""
    if isinstance(value, str):
        with suppress(ValueError):
            return timedelta(seconds=float(value))
    return value


Span = Annotated[timedelta, BeforeValidator(read_seconds)]


def also(name: str) -> AliasChoices:
    """Read ``FRAMEWORK_NAME`` first, then plain ``NAME``, as hosting services set it."""
    return AliasChoices(f"{PREFIX}{name}", name)


class Settings(BaseSettings):
    """How an application reaches Redis, runs and logs.

    Read from the environment (prefix ``FRAMEWORK_``), then from ``.env`` in the working
    directory. A subclass may add fields; passwords are masked wherever this is shown.

    Attributes:
        redis_url: ``redis://``, ``rediss://`` (TLS) or ``unix://``. Also ``REDIS_URL``.
        redis_host: Used where no URL is given, with the five that follow. Also
            ``REDIS_HOST`` and so on.
        prefix: Begins every key; ``bull`` is what all BullMQ peers use unless told otherwise.
        timeout: How long a call may wait for Redis before it raises. This and the next
            two: seconds, or an ISO 8601 duration.
        start_timeout: How long workers look for Redis at their start.
        shutdown_timeout: How long running jobs may go on once the process is told to stop.
        log_level: The least severe level that is written.
        log_format: ``console`` or ``json``; ``auto`` is console in a terminal.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        env_nested_delimiter="__",
        extra="ignore",
        populate_by_name=True,
    )

    redis_url: SecretStr | None = Field(None, validation_alias=also("REDIS_URL"))
    redis_host: str | None = Field(None, validation_alias=also("REDIS_HOST"))
    redis_port: int = Field(6379, ge=1, le=65535, validation_alias=also("REDIS_PORT"))
    redis_username: str | None = Field(None, validation_alias=also("REDIS_USERNAME"))
    redis_password: SecretStr | None = Field(None, validation_alias=also("REDIS_PASSWORD"))
    redis_db: int = Field(0, ge=0, validation_alias=also("REDIS_DB"))
    redis_tls: bool = Field(default=False, validation_alias=also("REDIS_TLS"))
    prefix: str = Field("bull", min_length=1)
    timeout: Span = Field(timedelta(seconds=10), gt=timedelta(0))
    start_timeout: Span = Field(timedelta(seconds=10), gt=timedelta(0))
    shutdown_timeout: Span = Field(timedelta(seconds=30), ge=timedelta(0))
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "console", "json"] = "auto"

    @property
    def names_redis(self) -> bool:
        """Whether anything says where Redis is."""
        return self.redis_url is not None or self.redis_host is not None

    @property
    def url(self) -> str:
        """Where Redis is, with its password: the URL, else the parts, else localhost."""
        if self.redis_url is not None:
            return self.redis_url.get_secret_value()
        if self.redis_host is None:
            return DEFAULT_URL
        scheme = "rediss" if self.redis_tls else "redis"
        password = self.redis_password.get_secret_value() if self.redis_password else ""
        user = quote(self.redis_username or "", safe="")
        login = f"{user}:{quote(password, safe='')}@" if user or password else ""
        host = f"[{self.redis_host}]" if ":" in self.redis_host else self.redis_host
        return f"{scheme}://{login}{host}:{self.redis_port}/{self.redis_db}"


def load_settings(kind: type[Settings] = Settings) -> Settings:
    """Read the settings.

    Raises:
        SettingsError: One cannot be used; it is named, its value is not shown.
    """
    try:
        return kind()
    except ValidationError as error:
        problems = [
            f"{spell_setting(str(problem['loc'][0]))}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError(
            f"{'; '.join(problems)}. Mend it in the environment or in .env"
        ) from error


def spell_setting(field: str) -> str:
    """Return a field's name as it is written in the environment."""
    name = field.upper().removeprefix(PREFIX)
    return name if name.startswith("REDIS_") else PREFIX + name
