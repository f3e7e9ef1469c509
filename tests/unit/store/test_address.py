"""A Redis URL is read once, checked, and never shown."""

import pytest

from framework.errors import SettingsError
from framework.store.address import Address, Login, Place


def test_one_server_is_named_with_its_login_and_database() -> None:
    address = Address("redis://ada:p%40ss@redis.example:6380/3")

    assert (address.kind, address.places) == ("one", (Place("redis.example", 6380),))
    assert address.login == Login("ada", "p@ss")
    assert address.db == 3
    assert address.tls is None


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("redis://", "localhost:6379"),
        ("redis://h", "h:6379"),
        ("redis://[::1]:7000", "[::1]:7000"),
        ("unix:///run/redis.sock", "/run/redis.sock"),
        ("unix://:secret@/run/my%20redis.sock?db=1", "/run/my redis.sock"),
        ("redis+sentinel://a,b:26380/main?db=2", "main of a:26379,b:26380"),
        ("rediss+cluster://u:secret@a:7000,b", "a:7000,b:6379"),
    ],
)
def test_errors_and_logs_call_it_by_its_place_alone(url: str, name: str) -> None:
    address = Address(url)

    assert address.name == name
    assert repr(address) == f"Address({name!r})"


def test_tls_checks_the_certificate_and_its_host_unless_told_otherwise() -> None:
    strict = Address("rediss://h?ssl_ca_certs=/etc/ca.pem")
    lax = Address("rediss://h?ssl_cert_reqs=none")

    assert strict.tls == {
        "ssl_ca_certs": "/etc/ca.pem",
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
    }
    assert lax.tls == {"ssl_cert_reqs": "none", "ssl_check_hostname": False}


def test_sentinels_may_have_a_login_of_their_own() -> None:
    address = Address("redis+sentinel://u:p@a/main?sentinel_username=s&sentinel_password=t")

    assert address.login == Login("u", "p")
    assert address.sentinel_login == Login("s", "t")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://h", "it begins with none of redis://"),
        ("localhost:6379", "it begins with none of redis://"),
        ("unix://", "it names no socket"),
        ("redis://a,b", r"redis\+sentinel:// or redis\+cluster://"),
        ("redis+sentinel://a", "the name of the master"),
        ("redis+cluster://a/1", "only database 0"),
        ("redis://h?ssl_ca_certs=x", "goes with rediss:// only"),
        ("redis://h?sentinel_password=x", r"goes with redis\+sentinel:// only"),
        ("redis://h?socket_timeout=1", "it has no option socket_timeout"),
        ("redis://h/zero", "the database, at its end, is a number"),
        ("redis://h:65536", "no host and port"),
        ("rediss://h?ssl_check_hostname=maybe", "true or false"),
        ("rediss://h?ssl_cert_reqs=optional", "required, or none"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_fix(url: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        Address(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:hunter2/x@h",
        "redis://u:hunter2:3@h:x",
        "redis://:hunter2?x@h:6379",
        "redis+sentinel://:hunter2@a,b:c/main",
        "rediss://:hunter2@h?ssl_check_hostname=hunter2",
    ],
)
def test_no_error_shows_a_password(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Address(url)

    assert "hunter2" not in str(caught.value)


def test_no_login_is_shown() -> None:
    assert "hunter2" not in repr(Address("redis://u:hunter2@h").login)
