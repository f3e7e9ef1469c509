"""Where Redis is: a checked URL that never shows its password."""

import re
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, unquote

from framework.errors import SettingsError

Kind = Literal["one", "sentinel", "cluster"]

# scheme: (what is there, whether TLS is used)
SCHEMES: dict[str, tuple[Kind, bool]] = {
    "redis": ("one", False),
    "rediss": ("one", True),
    "unix": ("one", False),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
}
TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
TLS_OPTIONS = (*TLS_FILES, "ssl_check_hostname", "ssl_cert_reqs")
KNOWN = (*TLS_OPTIONS, "db", "sentinel_username", "sentinel_password")
PORTS: dict[Kind, int] = {"one": 6379, "sentinel": 26379, "cluster": 6379}
HOST = re.compile(r"(?:\[(?P<v6>[^\[\]]+)\]|(?P<host>[^:\[\]]*))(?::(?P<port>\d{1,5}))?")
TRUE = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Place(NamedTuple):
    """One server."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Login(NamedTuple):
    """A user and its password, of which either may be missing."""

    username: str | None
    password: str | None

    def __repr__(self) -> str:
        return f"Login({self.username!r})"


class Address:
    """A Redis URL, checked.

    Args:
        url: ``redis://user:password@host:6379/0``, ``rediss://…`` for TLS,
            ``unix:///path/to.sock?db=0``, ``redis+sentinel://host:26379,host:26379/master?db=0``
            or ``redis+cluster://host:6379,host:6379``.

    Attributes:
        kind: One server, a set that Sentinels watch, or a cluster.
        places: The server, the Sentinels, or some nodes of the cluster.
        path: The socket's file; empty where it is none.
        master: What the Sentinels call the set.
        login: For the servers.
        sentinel_login: For the Sentinels.
        tls: What TLS needs; None: it is not used.
        name: What errors and logs call it.

    Raises:
        SettingsError: It is no such URL.
    """

    def __init__(self, url: str) -> None:
        scheme, there, rest = url.partition("://")
        if not there or scheme not in SCHEMES:
            raise bad(f"it begins with none of {', '.join(f'{one}://' for one in SCHEMES)}")
        self.kind, is_tls = SCHEMES[scheme]
        rest, _, query = rest.partition("?")
        authority, slash, path = rest.partition("/")
        user_info, _, hosts = authority.rpartition("@")
        self.login = login_of(user_info)
        options = options_of(query)
        self.path = unquote(slash + path) if scheme == "unix" else ""
        self.places = () if self.path else places_of(hosts, self.kind)
        self.master = unquote(path) if self.kind == "sentinel" else ""
        self.db = db_of(options, "" if self.path or self.master else path)
        self.sentinel_login = Login(
            options.get("sentinel_username"), options.get("sentinel_password")
        )
        self.tls = tls_of(options) if is_tls else None
        self._check(scheme, options)
        self.name = self._name()

    def _check(self, scheme: str, options: dict[str, str]) -> None:
        if scheme == "unix" and not self.path:
            raise bad("it names no socket: unix:///path/to.sock")
        if self.kind == "one" and len(self.places) > 1:
            raise bad("it names several hosts: begin it with redis+sentinel:// or redis+cluster://")
        if self.kind == "sentinel" and (not self.master or "/" in self.master):
            raise bad(
                "it must end with the name of the master: redis+sentinel://host:26379/mymaster"
            )
        if self.kind == "cluster" and self.db:
            raise bad("a cluster has only database 0")
        for option in options:
            if self.tls is None and option.startswith("ssl_"):
                raise bad(f"{option} goes with rediss:// only")
            if self.kind != "sentinel" and option.startswith("sentinel_"):
                raise bad(f"{option} goes with redis+sentinel:// only")

    def _name(self) -> str:
        if self.path:
            return self.path
        shown = ",".join(map(str, self.places))
        return f"{self.master} of {shown}" if self.kind == "sentinel" else shown

    def __repr__(self) -> str:
        return f"Address({self.name!r})"


def bad(problem: str) -> SettingsError:
    """Word what is wrong; the URL is not shown, it may hold a password."""
    return SettingsError(f"REDIS_URL cannot be used: {problem}")


def login_of(user_info: str) -> Login:
    """Read ``user:password``, each written as in a URL."""
    user, _, password = user_info.partition(":")
    return Login(unquote(user) or None, unquote(password) or None)


def places_of(hosts: str, kind: Kind) -> tuple[Place, ...]:
    """Read ``host:port,host:port``."""
    found: list[Place] = []
    for one in hosts.split(","):
        match = HOST.fullmatch(one.strip())
        port = int(match["port"] or PORTS[kind]) if match else 0
        if match is None or not 0 < port <= 65535:  # noqa: PLR2004 - the highest port there is
            raise bad(
                "no host and port can be read from it. Write special characters of the "
                "password as %XX"
            )
        found.append(Place(unquote(match["v6"] or match["host"] or "localhost"), port))
    return tuple(found)


def options_of(query: str) -> dict[str, str]:
    """Read the part after ``?``."""
    options = dict(parse_qsl(query, keep_blank_values=True))
    for option in options:
        if option not in KNOWN:
            raise bad(f"it has no option {option}, only {', '.join(KNOWN)}")
    return options


def db_of(options: dict[str, str], path: str) -> int:
    """Read the number of the database, from ``?db=`` or from the path."""
    text = options.get("db", path) or "0"
    if not text.isdecimal():
        raise bad("the database, at its end, is a number")
    return int(text)


def tls_of(options: dict[str, str]) -> dict[str, object]:
    """Return what redis-py takes for TLS; without a word the certificate and its host count."""
    needs = options.get("ssl_cert_reqs", "required")
    if needs not in {"required", "none"}:
        raise bad("ssl_cert_reqs is required, or none: then nobody knows who answers")
    checks = TRUE.get(options.get("ssl_check_hostname", "true").lower())
    if checks is None:
        raise bad("ssl_check_hostname is true or false")
    files = {name: options[name] for name in TLS_FILES if name in options}
    return {
        **files,
        "ssl_cert_reqs": needs,
        "ssl_check_hostname": checks and needs == "required",
    }
