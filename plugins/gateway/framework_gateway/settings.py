"""What the environment says of a gateway. Every field has its words here."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

MIB = 1024 * 1024


class GatewaySettings(BaseSettings):
    """How a gateway listens, whom it lets in and how much it takes.

    Read from the environment, then from ``.env``; where Redis is, is said by the framework's own
    settings.

    Attributes:
        port: Where to listen; 0 takes a free one.
        host: The address to listen at.
        auth_tokens: Secrets that let their owners do everything; with commas.
        auth_keys: The same under an older name; both count.
        auth_scopes: Secrets that let their owners do less, as a JSON array of
            ``{"token": …, "queues": ["mail", "img-*"], "channels": ["queue", "events"]}``.
        queue_prefix: What keys begin with; as the framework's settings say unless given.
        min_queue_name_length: The shortest name of a queue.
        max_queue_name_length: The longest.
        queue_cache_size: How many queues are kept open.
        worker_metadata_key: The hash in Redis that holds the workers called over HTTP.
        worker_metadata_stream: The stream that announces their changes.
        max_len_worker_metadata_stream: About how many of those are kept.
        endpoint_allow: Hosts and networks that workers may be called at; with commas; empty: all.
        debug: Send stack traces to clients.
        max_message_bytes: The largest message of a WebSocket, and the largest body.
        max_concurrency: The most jobs one worker connection may have at once.
        ack_timeout: Milliseconds until a delivery that nobody acknowledged goes back; 0: never.
        max_stalled_count: How often a job's client may vanish before the job fails.
        ping_interval: Seconds between pings of a connection.
        ping_timeout: Seconds until a connection that does not answer one is closed.
        request_timeout: Seconds that a request may take to come in whole.
        grace_period: Seconds that deliveries may take to end once the gateway closes.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", populate_by_name=True
    )

    port: int = Field(8080, ge=0, le=65535)
    host: str = Field("127.0.0.1", min_length=1)
    auth_tokens: SecretStr = SecretStr("")
    auth_keys: SecretStr = SecretStr("")
    auth_scopes: SecretStr = SecretStr("[]")
    queue_prefix: str | None = Field(None, min_length=1)
    min_queue_name_length: int = Field(3, ge=1)
    max_queue_name_length: int = Field(100, ge=1)
    queue_cache_size: int = Field(100, ge=1)
    worker_metadata_key: str = Field("bmqp:w:meta", min_length=1)
    worker_metadata_stream: str = Field("bmpq:w:stream", min_length=1)
    max_len_worker_metadata_stream: int = Field(100, ge=1)
    endpoint_allow: str = ""
    debug: bool = False
    max_message_bytes: int = Field(16 * MIB, ge=1024)
    max_concurrency: int = Field(1000, ge=1)
    ack_timeout: int = Field(15_000, ge=0)
    max_stalled_count: int = Field(1, ge=0)
    ping_interval: float = Field(20.0, gt=0)
    ping_timeout: float = Field(20.0, gt=0)
    request_timeout: float = Field(10.0, gt=0)
    grace_period: float = Field(10.0, ge=0)
