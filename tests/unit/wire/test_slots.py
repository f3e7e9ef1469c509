"""Slots are computed as Redis Cluster does."""

import pytest

from framework.errors import SlotError
from framework.wire.slots import check_same_slot, hash_tag, slot_of


@pytest.mark.parametrize(
    ("key", "slot"),
    [
        ("123456789", 12739),
        ("foo", 12182),
        ("{user1000}.following", 3443),
    ],
)
def test_a_key_has_the_slot_that_the_servers_give_it(key: str, slot: int) -> None:
    assert slot_of(key) == slot


@pytest.mark.parametrize(
    ("key", "tag"),
    [
        ("{bull}:a:1", "bull"),
        ("a{}{b}", ""),
        ("a{{b}}", "{b"),
        ("a}{b}", "b"),
        ("a{b", ""),
        ("a", ""),
    ],
)
def test_the_tag_is_what_the_first_braces_hold(key: str, tag: str) -> None:
    assert hash_tag(key) == tag


def test_a_queue_without_a_tag_is_refused_with_both_fixes() -> None:
    with pytest.raises(SlotError, match=r'FRAMEWORK_PREFIX="\{bull\}".*"\{mail\}"'):
        check_same_slot("bull:mail:")


def test_queues_of_different_tags_cannot_be_touched_at_once() -> None:
    check_same_slot("bull:{mail}:", "other:{mail}:")

    with pytest.raises(SlotError, match=r"bull:\{mail\}, bull:\{post\} are in several slots"):
        check_same_slot("bull:{mail}:", "bull:{post}:")
