"""Key names, and the job ids that would collide with them."""

import pytest

from framework.errors import OptionsError
from framework.wire.keys import RESERVED, QueueKeys, check_job_id, place_of

KEYS = QueueKeys("bull", "mail")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("base", "bull:mail:"),
        ("wait", "bull:mail:wait"),
        ("waiting_children", "bull:mail:waiting-children"),
        ("stalled_check", "bull:mail:stalled-check"),
        ("repeat_set", "bull:mail:repeat"),
        ("pc", "bull:mail:pc"),
    ],
)
def test_keys_are_named_as_bullmq_names_them(name: str, key: str) -> None:
    assert KEYS[name] == key


def test_a_job_is_kept_under_its_id() -> None:
    assert KEYS.job("7") == "bull:mail:7"
    assert KEYS.qualified == "bull:mail"


def test_our_own_keys_stand_below_meta_where_no_sweep_finds_them() -> None:
    assert KEYS.lane("a:0") == "bull:mail:meta:fw:lane:a:0"


def test_hash_tags_stay_as_they_are() -> None:
    assert QueueKeys("{bull}", "mail")["wait"] == "{bull}:mail:wait"
    assert QueueKeys("bull", "{mail}")["wait"] == "bull:{mail}:wait"


@pytest.mark.parametrize("queue", ["", "a:b", ":"])
def test_a_queue_that_no_peer_could_use_is_refused(queue: str) -> None:
    with pytest.raises(OptionsError, match="queue"):
        QueueKeys("bull", queue)


def test_a_prefix_is_not_empty() -> None:
    with pytest.raises(OptionsError, match="prefix"):
        QueueKeys("", "mail")


@pytest.mark.parametrize("job_id", ["a", "12a", "1.5", "user-7", "ž🐎", " ", "x" * 512, "Wait"])
def test_a_custom_id_may_be_almost_anything(job_id: str) -> None:
    check_job_id(job_id)


NUMBERS = ["0", "7", "-7", "+7", "007", "1" * 40]
BAD = [
    *((one, "number") for one in NUMBERS),
    *((one, "every queue has") for one in sorted(RESERVED)),
    ("", "must not be empty"),
    ("a:b", "':'"),
    ("0:1", "':'"),
    ("repeat:x:1", "':'"),
    ("a\x00", "control"),
    ("a\n", "control"),
    ("\x7f", "control"),
    ("ž" * 257, "514 bytes"),
    ("x" * 513, "513 bytes"),
    ("\ud800", "Unicode"),
]


@pytest.mark.parametrize(("job_id", "why"), BAD, ids=ascii)
def test_a_custom_id_that_would_collide_is_refused(job_id: str, why: str) -> None:
    with pytest.raises(OptionsError, match=why) as raised:
        check_job_id(job_id)

    assert raised.value.option == "job_id"


# Wire format 1.3: what the orphan sweep of a Node peer takes for infrastructure.
INFRASTRUCTURE = {
    "active", "wait", "waiting-children", "paused", "id", "delayed", "prioritized",
    "stalled-check", "completed", "failed", "stalled", "repeat", "limiter", "meta", "events", "pc",
    "marker", "de",
}  # fmt: skip


def test_all_suffixes_of_the_format_are_reserved() -> None:
    assert INFRASTRUCTURE <= RESERVED


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("bull:mail:1", ("bull", "mail", "1")),
        ("bull:mail:repeat:daily:17", ("bull", "mail", "repeat:daily:17")),
        ("other:mail:1", ("other", "mail", "1")),
        ("a:b:mail:1", ("a:b", "mail", "1")),
        ("nonsense", ("", "", "nonsense")),
    ],
)
def test_a_jobs_key_is_taken_apart(key: str, place: tuple[str, str, str]) -> None:
    assert place_of(key, "bull") == place


@pytest.mark.parametrize("name", ["", "a:b", "\ud800"])
def test_a_name_that_no_peer_could_use_is_no_queues(name: str) -> None:
    with pytest.raises(OptionsError, match="queue"):
        QueueKeys("bull", name)
