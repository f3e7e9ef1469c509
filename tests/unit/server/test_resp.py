import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest

from framework.server.resp import NoAnswerError, ReplyError, ask, info, pack, read_reply, state_of


@contextmanager
def server_that_answers(path: Path, *replies: bytes) -> Iterator[list[bytes]]:
    """Answer each read with the next reply, then hang up."""
    heard: list[bytes] = []

    def serve() -> None:
        link, _ = listener.accept()
        with link:
            for reply in replies:
                heard.append(link.recv(4096))
                link.sendall(reply)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        yield heard
        thread.join()


@pytest.mark.parametrize(
    ("sent", "reply"),
    [
        (b"+PONG\r\n", "PONG"),
        (b":42\r\n", "42"),
        (b"$7\r\na\r\nb\r\nc\r\n", "a\r\nb\r\nc"),
        (b"$0\r\n\r\n", ""),
    ],
)
def test_replies_are_read(sent: bytes, reply: str) -> None:
    assert read_reply(BytesIO(sent)) == reply


@pytest.mark.parametrize("cut", [b"", b"$10\r\nabc", b"*1\r\n+OK\r\n"])
def test_a_reply_cut_short_is_no_answer(cut: bytes) -> None:
    with pytest.raises(NoAnswerError):
        read_reply(BytesIO(cut))


def test_an_error_carries_its_code() -> None:
    with pytest.raises(ReplyError, match="LOADING the dataset") as caught:
        read_reply(BytesIO(b"-LOADING the dataset\r\n"))

    assert caught.value.code == "LOADING"


def test_commands_count_bytes() -> None:
    assert pack("SET", "ü") == b"*2\r\n$3\r\nSET\r\n$2\r\n\xc3\xbc\r\n"


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (b"+PONG\r\n", "ready"),
        (b"-LOADING Valkey is loading\r\n", "loading"),
        (b"-BUSY a script runs\r\n", "ready"),
        (b"", "silent"),
    ],
)
def test_loading_is_not_ready(tmp_path: Path, reply: bytes, state: str) -> None:
    with server_that_answers(tmp_path / "s", reply):
        assert state_of(tmp_path / "s") == state


def test_nobody_there_is_silence(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(tmp_path / "left"))

    assert state_of(tmp_path / "left") == "silent"
    assert state_of(tmp_path / "none") == "silent"


def test_who_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "s"))
        mute.listen()

        with pytest.raises(NoAnswerError, match="timed out"):
            ask(tmp_path / "s", "PING", within=0.05)


def test_a_password_is_sent_first(tmp_path: Path) -> None:
    with server_that_answers(tmp_path / "s", b"+OK\r\n", b"+PONG\r\n") as heard:
        assert ask(tmp_path / "s", "PING", password="key") == "PONG"  # noqa: S106 - of nothing

    assert heard == [pack("AUTH", "key"), pack("PING")]


def test_a_wrong_password_is_an_error_and_a_needless_one_is_not(tmp_path: Path) -> None:
    with (
        server_that_answers(tmp_path / "wrong", b"-WRONGPASS no\r\n"),
        pytest.raises(ReplyError, match="WRONGPASS"),
    ):
        ask(tmp_path / "wrong", "PING", password="key")  # noqa: S106 - of nothing
    with server_that_answers(tmp_path / "needless", b"-ERR none set\r\n", b"+PONG\r\n"):
        assert ask(tmp_path / "needless", "PING", password="key") == "PONG"  # noqa: S106 - of nothing


def test_info_is_one_mapping(tmp_path: Path) -> None:
    text = b"# Server\r\nprocess_id:7\r\n\r\n# Keyspace\r\ndb0:keys=1,expires=0\r\n"
    with server_that_answers(tmp_path / "s", b"$%d\r\n%s\r\n" % (len(text), text)):
        assert info(tmp_path / "s") == {"process_id": "7", "db0": "keys=1,expires=0"}
