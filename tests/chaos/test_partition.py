"""A worker is parted from Redis for a minute, without a word and in both directions."""

from tests.support.parted import MOST_SECONDS, part_a_worker


async def test_a_worker_that_was_parted_for_a_minute_is_back_within_two_seconds(
    redis_url: str, prefix: str
) -> None:
    took = await part_a_worker(redis_url, prefix, lock=10, apart=60)

    measured = (
        f"cancelled after {took.cancelled:.1f} s with locks of 10 s, done elsewhere after "
        f"{took.done_elsewhere:.1f} s, back {took.back:.2f} s after healing"
    )
    print(f"\n{measured}")  # noqa: T201 - for the table of reliability.md
    assert took.cancelled < 10.5
    assert took.back < MOST_SECONDS
