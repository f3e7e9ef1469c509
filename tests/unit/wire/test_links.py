"""What ties a job to others, between the options and the hash."""

import json
from datetime import timedelta
from typing import Any, cast

import pytest

from framework.errors import OptionsError
from framework.model.job import Job, JobId
from framework.model.options import Deduplication, JobOptions, OnChildFailure, ParentJob
from framework.wire.links import FLAGS, Link
from framework.wire.options import encode_options
from framework.wire.stored_options import decode_options

PARENT = ParentJob("P1", "par")


def link(options: JobOptions, *, in_flow: bool = False) -> Link:
    found = encode_options(options, prefix="bull", in_flow=in_flow).link
    assert found is not None
    return found


def opts(options: JobOptions) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(encode_options(options, prefix="bull").opts)
    return found


@pytest.mark.parametrize(("policy", "flag"), FLAGS.items())
def test_a_childs_flag_stands_in_its_options_and_in_its_parent(
    policy: OnChildFailure, flag: str
) -> None:
    options = JobOptions(parent=PARENT, on_child_failure=policy)

    assert link(options).parent_key == "bull:par:P1"
    assert json.loads(link(options).parent) == {"id": "P1", "queueKey": "bull:par", flag: True}
    stored = opts(options)
    assert stored["parent"] == {"id": "P1", "queue": "bull:par"}
    assert [stored.get(one) for one in FLAGS.values()] == [
        True if one == flag else None for one in FLAGS.values()
    ]


def test_a_child_that_says_nothing_fails_its_parent() -> None:
    assert json.loads(link(JobOptions(parent=PARENT)).parent)["fpof"] is True


def test_a_child_whose_parent_shall_wait_has_no_flag() -> None:
    options = JobOptions(parent=PARENT, on_child_failure="wait")

    assert json.loads(link(options).parent) == {"id": "P1", "queueKey": "bull:par"}
    assert set(opts(options)) & set(FLAGS.values()) == set()


def test_a_job_is_a_parent() -> None:
    job = Job(JobId("7"), "par", "n", None)

    assert link(JobOptions(parent=job)).parent_key == "bull:par:7"


@pytest.mark.parametrize("null", [b"null", b"None"])
def test_no_member_is_null(null: bytes) -> None:
    written = encode_options(JobOptions(parent=PARENT), prefix="bull")

    assert null not in written.opts
    assert written.link is not None
    assert null not in written.link.parent.encode()


@pytest.mark.parametrize(
    ("asked", "stored"),
    [
        (Deduplication("k"), {"id": "k"}),
        (Deduplication("a:b", ttl=timedelta(seconds=5)), {"id": "a:b", "ttl": 5000}),
        (
            Deduplication("k", ttl=timedelta(seconds=1), extend=True, replace=True),
            {"id": "k", "ttl": 1000, "extend": True, "replace": True},
        ),
        (Deduplication("k", reschedule=True), {"id": "k", "reschedule": True}),
        (Deduplication("k", keep_last_if_active=True), {"id": "k", "keepLastIfActive": True}),
    ],
)
def test_a_deduplication_goes_to_redis_and_back(
    asked: Deduplication, stored: dict[str, object]
) -> None:
    written = encode_options(JobOptions(deduplication=asked))

    assert json.loads(written.opts)["de"] == stored
    assert written.link is not None
    assert json.loads(written.link.dedup) == stored
    assert decode_options(written.opts).public["deduplication"] == asked


def test_a_childs_options_are_read_back() -> None:
    written = encode_options(JobOptions(parent=PARENT, on_child_failure="ignore"), prefix="bull")

    public = decode_options(written.opts).public

    assert public["parent"] == PARENT
    assert public["on_child_failure"] == "ignore"


def test_a_job_without_ties_takes_the_lean_way() -> None:
    assert encode_options(JobOptions(attempts=3), prefix="bull").link is None


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"parent": PARENT, "deduplication": Deduplication("k")}, "parent= cannot have it"),
        ({"on_child_failure": "ignore"}, "nobody to tell"),
        ({"parent": PARENT, "on_child_failure": "explode"}, "'fail', 'continue'"),
        ({"parent": "P1"}, "has its id and queue"),
        ({"parent": ParentJob("", "par")}, "has its id and queue"),
        ({"parent": ParentJob("wait", "par")}, "has its id and queue"),
        ({"parent": ParentJob("1", "a:b")}, "holds no ':'"),
        ({"deduplication": "k"}, "Deduplication\\(id\\)"),
    ],
)
def test_what_bullmq_refuses_is_refused(wanted: dict[str, object], text: str) -> None:
    with pytest.raises(OptionsError, match=text):
        encode_options(cast("JobOptions", wanted), prefix="bull")


def test_a_parent_is_not_among_the_defaults() -> None:
    with pytest.raises(OptionsError, match="never among the defaults"):
        encode_options(JobOptions(parent=PARENT))


def test_a_leaf_of_a_flow_may_be_deduplicated_but_not_kept_for_later() -> None:
    leaf = JobOptions(parent=PARENT, deduplication=Deduplication("k"))
    late = JobOptions(parent=PARENT, deduplication=Deduplication("k", keep_last_if_active=True))

    assert link(leaf, in_flow=True).dedup_id == "k"
    with pytest.raises(OptionsError, match="keep_last_if_active"):
        link(late, in_flow=True)


@pytest.mark.parametrize("made", [{"id": ""}, {"id": "\ud800"}, {"id": "k", "ttl": timedelta(0)}])
def test_a_deduplication_that_no_key_can_hold_is_refused(made: dict[str, Any]) -> None:
    with pytest.raises(OptionsError):
        Deduplication(**made)


@pytest.mark.parametrize(
    "text",
    ['{"de":null}', '{"de":{"id":5}}', '{"de":[]}', '{"parent":null}', '{"parent":{"id":1}}',
     '{"fpof":null,"cpof":"yes"}', '{"parent":[]}'],
)  # fmt: skip
def test_what_a_peer_wrote_oddly_counts_as_not_given(text: str) -> None:
    public = decode_options(text.encode()).public

    assert set(public) == {"attempts"}


@pytest.mark.parametrize("ttl", ["0", "-1", '"x"', "null", "true", "1e400"])
def test_an_odd_ttl_does_no_harm(ttl: str) -> None:
    read = decode_options(f'{{"de":{{"id":"k","ttl":{ttl}}}}}'.encode()).public

    assert read["deduplication"].id == "k"
