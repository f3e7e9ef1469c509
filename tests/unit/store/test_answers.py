"""What an error of Redis means: wait, look for another server, or give up."""

import pytest
from redis import exceptions

from framework.errors import RedisRefusedError, RedisUnavailableError
from framework.store.address import Address
from framework.store.answers import is_passing, is_stale, translate

# How servers before 7.0 word the error of a command in a script; redis-py has cut "ERR ".
IN_A_SCRIPT = "Error running script (call to f_1e6): @user_script:40: @user_script: 40: -{}"
HERE = Address("redis://here")


@pytest.mark.parametrize(
    "answer", ["READONLY You can't write against a read only replica.", "NOREPLICAS Not enough."]
)
def test_an_answer_wrapped_by_an_old_server_means_the_same(answer: str) -> None:
    plain, wrapped = (
        exceptions.ResponseError(text) for text in (answer, IN_A_SCRIPT.format(answer))
    )

    assert is_passing(plain)
    assert is_passing(wrapped)
    assert is_stale(plain)
    assert is_stale(wrapped)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("OOM command not allowed when used memory > 'maxmemory'.", "out of memory"),
        ("MISCONF Redis is configured to save RDB snapshots", "cannot write to its disk"),
    ],
)
def test_a_full_server_is_named_however_it_says_so(answer: str, problem: str) -> None:
    for text in (answer, IN_A_SCRIPT.format(answer)):
        error = translate(exceptions.ResponseError(text), HERE)

        assert isinstance(error, RedisRefusedError)
        assert problem in str(error)


def test_a_mistake_in_a_script_is_no_reason_to_wait() -> None:
    error = exceptions.ResponseError(IN_A_SCRIPT.format("WRONGTYPE Operation against a key"))

    assert not is_passing(error)
    assert not is_stale(error)


def test_a_node_of_a_cluster_reached_as_one_server_is_named_as_such() -> None:
    error = translate(exceptions.MovedError("7000 10.0.0.1:6379"), HERE)

    assert "a node of a cluster" in str(error)
    assert "redis+cluster://" in str(error)


def test_a_refused_connection_may_pass() -> None:
    error = exceptions.ConnectionError("Error 111 connecting to here:6379. Connection refused.")

    assert is_passing(error)
    assert type(translate(error, HERE)) is RedisUnavailableError


def test_a_missing_file_of_tls_is_no_missing_socket() -> None:
    there = Address("rediss://localhost?ssl_ca_certs=/etc/ca.pem")
    error = exceptions.ConnectionError("Error 2 connecting to localhost:6379. No such file")

    assert str(translate(error, there)) == (
        "cannot reach redis at localhost:6379 (no such file: /etc/ca.pem). "
        "Correct REDIS_TLS_CA, REDIS_TLS_CERT and REDIS_TLS_KEY, or REDIS_URL"
    )
