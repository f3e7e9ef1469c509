"""Where Redis is, of whatever BullMQ takes as ``connection``: a URL, a dictionary, a client."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from framework import OptionsError
from framework_bullmq.spelling import camel, read_options

DEFAULT = "redis://localhost:6379"
PARTS = frozenset({
    "host", "port", "db", "username", "password", "ssl", "path", "unixSocketPath",
    "decodeResponses", "socketTimeout", "protocol",
})  # fmt: skip
TLS = {
    "sslCaCerts": "ssl_ca_certs",
    "sslCertfile": "ssl_certfile",
    "sslKeyfile": "ssl_keyfile",
    "sslCheckHostname": "ssl_check_hostname",
    "sslCertReqs": "ssl_cert_reqs",
}
OURS = "the engine's connections are its own: it decides how they are made and kept"
REFUSED = {
    "clientName": "connections are named as BullMQ on Node names them; a Worker takes a name",
    "credentialProvider": "give username and password, or a URL",
    "connectionPool": OURS,
    "healthCheckInterval": OURS,
    "maxConnections": OURS,
    "retry": "the engine alone knows what may be sent twice, and tries again by itself",
    "retryOnError": "the engine alone knows what may be sent twice, and tries again by itself",
    "retryOnTimeout": "the engine alone knows what may be sent twice, and tries again by itself",
    "singleConnectionClient": OURS,
    "socketConnectTimeout": "socket_timeout is how long a call may wait, connecting included",
    "socketKeepalive": OURS,
    "socketKeepaliveOptions": OURS,
}


class Where(NamedTuple):
    """Where Redis is, and how long a call may wait for it; None: as the engine waits."""

    url: str
    timeout: timedelta | None = None


def where_of(connection: object) -> Where:
    """Return where Redis is; localhost unless given.

    A client of redis-py tells its address and login: the connections are the engine's own, and
    the client stays its owner's, to use and to close.

    Raises:
        OptionsError: It is none of these, or asks for what the engine does otherwise.
    """
    if connection is None:
        return Where(DEFAULT)
    if isinstance(connection, str):
        return Where(checked(connection))
    if isinstance(connection, Mapping):
        return of_parts(read_options("connection", connection, PARTS | TLS.keys(), REFUSED))
    if hasattr(connection, "nodes_manager"):
        return of_cluster(connection)
    if hasattr(connection, "connection_pool"):
        return of_client(connection.connection_pool)
    raise OptionsError(
        "connection",
        f"it is a URL, a dictionary or a client of redis-py, got a {type(connection).__name__}",
    )


def checked(url: str) -> str:
    """Refuse a URL of another database; what else is wrong with it, the engine says."""
    if url.startswith(("postgres:", "postgresql:")):
        raise OptionsError("connection", "the engine speaks to Redis alone, not to Postgres")
    return url


def of_parts(parts: Mapping[str, Any]) -> Where:
    """Word a URL of redis-py's keywords."""
    if parts.get("decodeResponses") is False:
        raise OptionsError("decode_responses", "what comes out of Redis is text here, never bytes")
    options = {word: spelt(parts[name]) for name, word in TLS.items() if name in parts}
    seconds = parts.get("socketTimeout")
    timeout = None if seconds is None else timedelta(seconds=seconds)
    path = parts.get("unixSocketPath") or parts.get("path")
    db = str(parts.get("db") or 0)
    if path:
        login = login_of(parts)
        return Where(f"unix://{login}{quote(path)}?{urlencode({**options, 'db': db})}", timeout)
    scheme = "rediss" if parts.get("ssl") else "redis"
    host = bracketed(str(parts.get("host", "localhost")))
    query = f"?{urlencode(options)}" if options else ""
    url = f"{scheme}://{login_of(parts)}{host}:{parts.get('port', 6379)}/{db}{query}"
    return Where(url, timeout)


def of_client(pool: Any) -> Where:  # noqa: ANN401 - redis-py's, of which only facts are read
    """Read the address of a client: of one server, or of the set that Sentinels watch."""
    facts = facts_of(pool.connection_kwargs)
    if "SSL" in getattr(pool.connection_class, "__name__", ""):
        facts["ssl"] = True
    manager = getattr(pool, "sentinel_manager", None)
    if manager is None:
        return of_parts(facts)
    hosts = ",".join(address_of(one.connection_pool.connection_kwargs) for one in manager.sentinels)
    scheme = "rediss+sentinel" if facts.get("ssl") else "redis+sentinel"
    options = {"db": str(facts.get("db") or 0)}
    told = facts_of(manager.sentinels[0].connection_pool.connection_kwargs)
    options |= {f"sentinel_{one}": told[one] for one in ("username", "password") if one in told}
    master = quote(pool.service_name, safe="")
    return Where(f"{scheme}://{login_of(facts)}{hosts}/{master}?{urlencode(options)}")


def of_cluster(client: Any) -> Where:  # noqa: ANN401 - redis-py's
    """Read the addresses of a cluster's nodes."""
    manager = client.nodes_manager
    facts = facts_of(getattr(client, "connection_kwargs", None) or manager.connection_kwargs)
    nodes = manager.startup_nodes.values()
    hosts = ",".join(f"{bracketed(node.host)}:{node.port}" for node in nodes)
    scheme = "rediss+cluster" if facts.get("ssl") else "redis+cluster"
    return Where(f"{scheme}://{login_of(facts)}{hosts}")


def facts_of(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a client says of its server; the rest is for its own connections."""
    if keywords.get("credential_provider") is not None:
        raise OptionsError("connection", f"a credential provider: {REFUSED['credentialProvider']}")
    known = (PARTS | TLS.keys()) - {"decodeResponses", "socketTimeout", "protocol"}
    found = {camel(name): value for name, value in keywords.items() if value is not None}
    return {name: value for name, value in found.items() if name in known}


def address_of(keywords: Mapping[str, Any]) -> str:
    """Return ``host:port``."""
    return f"{bracketed(keywords['host'])}:{keywords['port']}"


def login_of(parts: Mapping[str, Any]) -> str:
    """Return ``user:password@``, or nothing where neither is given."""
    user, secret = (quote(str(parts.get(one) or ""), safe="") for one in ("username", "password"))
    return f"{user}:{secret}@" if user or secret else ""


def bracketed(host: str) -> str:
    """Return a host as it stands in a URL."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def spelt(value: object) -> str:
    """Return an option of TLS as it stands in a URL."""
    if isinstance(value, bool):
        return str(value).lower()
    name = getattr(value, "name", value)  # ssl.CERT_NONE, say
    return str(name).lower().removeprefix("cert_")
