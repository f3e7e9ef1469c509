"""What the environment and ``.env`` decide. Every field has its words here."""

from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Literal, TypeVar, overload
from urllib.parse import quote, urlencode

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

from framework.app.plugin_names import read_names
from framework.errors import SettingsError

PREFIX = "FRAMEWORK_"
DEFAULT_URL = "redis://localhost:6379"

S = TypeVar("S", bound=BaseSettings)


def read_seconds(value: object) -> object:
    """Take plain numbers of seconds, ``2`` or ``0.5``; pydantic reads the other forms."""
    if isinstance(value, str):
        with suppress(ValueError):
            return timedelta(seconds=float(value))
    return value


def read_none(value: object) -> object:
    """Take the word none for None."""
    return None if isinstance(value, str) and value.strip().lower() == "none" else value


def split_names(value: object) -> object:
    """Take names with commas between them."""
    return read_names(value) if isinstance(value, str) else value


Span = Annotated[timedelta, BeforeValidator(read_seconds)]


def also(name: str) -> AliasChoices:
    """Read ``FRAMEWORK_NAME`` first, then plain ``NAME``, as hosting services set it."""
    return AliasChoices(f"{PREFIX}{name}", name)


class Settings(BaseSettings):
    """How an application reaches Redis, runs and logs.

    Read from the environment (prefix ``FRAMEWORK_``), then from ``.env`` in the working
    directory. A subclass may add fields; passwords are masked wherever this is shown.

    Attributes:
        redis_url: ``redis://``, ``rediss://`` (TLS), ``unix://``, ``redis+sentinel://`` or
            ``redis+cluster://``. Also ``REDIS_URL``, and so on for all that begin with redis.
        redis_host: Used where no URL is given, with those that follow. Of Sentinels or a
            cluster, several: ``host:port,host:port``.
        redis_sentinel_master: Makes the hosts Sentinels: the name they know the servers by.
        redis_cluster: Makes the hosts nodes of a cluster.
        redis_tls_ca: With TLS, also with a URL: a file of certificates to trust, in place of
            the machine's.
        redis_tls_cert: With TLS, also with a URL: the file of our own certificate.
        redis_tls_key: The file of its key.
        redis_tls_check_hostname: Whether the server's certificate must be for its host.
        redis_copies: Behind Sentinels and in a cluster, also with a URL: how many replicas must
            have an added job or an outcome before it counts; 0: none.
        prefix: Begins every key; ``bull`` is what all BullMQ peers use unless told otherwise.
        timeout: How long a call may wait for Redis before it raises. This and the next
            two: seconds, or an ISO 8601 duration.
        start_timeout: How long workers look for Redis at their start.
        shutdown_timeout: How long running jobs may go on once the process is told to stop.
        max_block: How long a handler may keep the event loop of a worker process for itself until
            its supervisor kills it; its jobs run again.
        max_restarts: How many times in a row a worker process may die without having done a job
            until its supervisor gives up.
        max_crashes: From how many crashes on a job that ends its process, the last time alone, is
            quarantined: it has failed. ``none``: never.
        pause_mode: Where jobs wait while a queue is paused: ``v6``, in their line; ``v5``, in the
            list that BullMQ 5 keeps, for fleets in which BullMQ 5 adds, pauses or resumes.
            Written into each queue that is used, where this is set.
        worker_presence: Show this process's workers to BullMQ's dashboards, by one idle connection
            for each queue. Off by itself above 50 queues.
        metrics: For how long workers keep how many jobs ended in each minute. Zero: none.
        watchdog: How long a queue may have jobs that could be taken while this process has free
            slots and takes none. Then its connections are made anew; after as long again it is
            stuck and not ready. Zero: nobody looks.
        exit_when_stuck: Then stop and end with exit code 75, so that who started this process
            starts it anew. Worker processes under a supervisor do so unless told otherwise.
        health_port: Where probes are answered over HTTP; None: nowhere.
        health_host: The address to listen at for them.
        live_timeout: How long the event loop may stand still until ``/livez`` says that the
            process is not alive.
        plugins: The names of the installed plugins to use; None: all. In the environment, names
            with commas between them, or ``none``.
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
    redis_tls_ca: str | None = Field(None, validation_alias=also("REDIS_TLS_CA"))
    redis_tls_cert: str | None = Field(None, validation_alias=also("REDIS_TLS_CERT"))
    redis_tls_key: str | None = Field(None, validation_alias=also("REDIS_TLS_KEY"))
    redis_tls_check_hostname: bool = Field(
        default=True, validation_alias=also("REDIS_TLS_CHECK_HOSTNAME")
    )
    redis_cluster: bool = Field(default=False, validation_alias=also("REDIS_CLUSTER"))
    redis_sentinel_master: str | None = Field(None, validation_alias=also("REDIS_SENTINEL_MASTER"))
    redis_sentinel_username: str | None = Field(
        None, validation_alias=also("REDIS_SENTINEL_USERNAME")
    )
    redis_sentinel_password: SecretStr | None = Field(
        None, validation_alias=also("REDIS_SENTINEL_PASSWORD")
    )
    redis_copies: int = Field(1, ge=0, validation_alias=also("REDIS_COPIES"))
    prefix: str = Field("bull", min_length=1)
    timeout: Span = Field(timedelta(seconds=10), gt=timedelta(0))
    start_timeout: Span = Field(timedelta(seconds=10), gt=timedelta(0))
    shutdown_timeout: Span = Field(timedelta(seconds=30), ge=timedelta(0))
    max_block: Span = Field(timedelta(minutes=10), gt=timedelta(seconds=5))
    max_restarts: int = Field(10, ge=0)
    max_crashes: Annotated[int | None, BeforeValidator(read_none)] = Field(3, ge=1)
    pause_mode: Literal["v6", "v5"] = "v6"
    worker_presence: bool = True
    metrics: Span = Field(timedelta(0), ge=timedelta(0))
    watchdog: Span = Field(timedelta(seconds=15), ge=timedelta(0))
    exit_when_stuck: bool = False
    health_port: int | None = Field(None, ge=0, le=65535)
    health_host: str = Field("0.0.0.0", min_length=1)  # noqa: S104 - probes come from outside
    live_timeout: Span = Field(timedelta(seconds=60), gt=timedelta(0))
    plugins: Annotated[tuple[str, ...] | None, NoDecode, BeforeValidator(split_names)] = None
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
            return with_options(self.redis_url.get_secret_value(), self._tls_options())
        if self.redis_host is None:
            return DEFAULT_URL
        scheme = "rediss" if self.redis_tls else "redis"
        login = login_in_url(self.redis_username, self.redis_password)
        options = self._tls_options()
        path = f"/{self.redis_db}"
        if self.redis_sentinel_master:
            scheme, path = f"{scheme}+sentinel", f"/{quote(self.redis_sentinel_master, safe='')}"
            options |= {"db": str(self.redis_db), **self._sentinel_options()}
        elif self.redis_cluster:
            scheme = f"{scheme}+cluster"
        hosts = ",".join(map(self._with_port, self.redis_host.split(",")))
        return with_options(f"{scheme}://{login}{hosts}{path}", options)

    def _with_port(self, host: str) -> str:
        bare = f"[{host}]" if host.count(":") > 1 and not host.startswith("[") else host.strip()
        has_port = ":" in bare.rpartition("]")[2]
        is_told = "redis_port" in self.model_fields_set or not self.redis_sentinel_master
        return bare if has_port or not is_told else f"{bare}:{self.redis_port}"

    def _tls_options(self) -> dict[str, str]:
        files = {
            "ssl_ca_certs": self.redis_tls_ca,
            "ssl_certfile": self.redis_tls_cert,
            "ssl_keyfile": self.redis_tls_key,
        }
        found = {name: file for name, file in files.items() if file}
        return found if self.redis_tls_check_hostname else found | {"ssl_check_hostname": "false"}

    def _sentinel_options(self) -> dict[str, str]:
        found: dict[str, str] = {}
        if self.redis_sentinel_username:
            found["sentinel_username"] = self.redis_sentinel_username
        if self.redis_sentinel_password:
            found["sentinel_password"] = self.redis_sentinel_password.get_secret_value()
        return found


def login_in_url(username: str | None, password: SecretStr | None) -> str:
    """Return ``user:password@``, or nothing where neither is set."""
    secret = quote(password.get_secret_value(), safe="") if password else ""
    user = quote(username or "", safe="")
    return f"{user}:{secret}@" if user or secret else ""


def with_options(url: str, options: dict[str, str]) -> str:
    """Append options to a URL."""
    if not options:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(options)}"


@overload
def load_settings() -> Settings: ...
@overload
def load_settings(kind: type[S]) -> S: ...
def load_settings(kind: type[BaseSettings] = Settings) -> BaseSettings:
    """Read the settings.

    Args:
        kind: Which: the framework's, a subclass, or a plugin's own.

    Raises:
        SettingsError: One cannot be used; it is named, its value is not shown.
    """
    try:
        return kind()
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        problems = [
            f"{spell_setting(str(problem['loc'][0]), prefix)}: {problem['msg']}"
            if problem["loc"]
            else problem["msg"]  # of several together
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError(
            f"{'; '.join(problems)}. Mend it in the environment or in .env"
        ) from error
    except SourceError as error:
        raise SettingsError(
            f"{error}: {error.__cause__}. Lists and objects are written as JSON there"
        ) from error


def spell_setting(field: str, prefix: str = PREFIX) -> str:
    """Return a field's name as it is written in the environment."""
    start = prefix.upper()
    name = field.upper().removeprefix(start)
    is_plain = start == PREFIX and name.startswith("REDIS_")
    return name if is_plain else start + name
