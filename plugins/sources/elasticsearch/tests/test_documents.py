"""What a document becomes."""

import json

import pytest
from aiops_source_elasticsearch.documents import read_hit, read_time, value_of
from hypothesis import given
from hypothesis import strategies as st

TIME = "2026-11-21T06:59:30.123456789Z"
TRACE = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: no price'


def line(source, streams=("log.file.path",)):
    return read_hit(
        {"_index": "i", "_id": "1", "_source": source, "sort": [TIME, 1]}, "message", streams
    ).data


def test_a_plain_document_is_a_line_with_its_writer_and_level():
    source = {
        "message": "no price",
        "log": {"level": "error", "file": {"path": "/var/log/shop.log"}},
        "service": {"name": "shop", "version": "1.4"},
        "host": {"name": "web1", "os": {"type": "linux"}},
        "process": {"pid": 4711},
    }

    assert line(source) == (
        b'<11>1 2026-11-21T06:59:30.123456Z web1 shop 4711 - [aiops@32473 stream="c1aa5a3c5deb" '
        b'release="1.4" file="/var/log/shop.log"] no price\n'
    )


def test_dots_may_be_part_of_names():
    flat = {"message": "m", "log.level": "warn", "service.name": "shop", "host.name": "web1"}

    assert line(flat) == b"<12>1 2026-11-21T06:59:30.123456Z web1 shop - - - m\n"
    assert value_of({"kubernetes": {"pod.name": "p1"}}, "kubernetes.pod.name") == "p1"
    assert value_of({"a": {"b": 1}, "a.b": {"c": 2}}, "a.b.c") == 2


@pytest.mark.parametrize(
    "extra",
    [
        {"error": {"stack_trace": TRACE}},
        {"message": f"failed\n{TRACE}"},
        {"exc_info": TRACE},
        {"error": {"stack": ["at f (a.js:1:2)", "at g (a.js:2:3)"]}},
        {"exception": [{"exc_type": "ValueError", "frames": []}]},
    ],
    ids=str,
)
def test_a_document_with_a_trace_is_one_line_of_json(extra):
    source = {"message": "failed", **extra}

    (written,) = line(source).splitlines()

    assert json.loads(written[written.index(b"{") :]) == source


def test_words_in_a_list_do_not_make_a_trace():
    assert line({"message": "m", "tags": ["beats", "json"]}).endswith(b" - - - m\n")


def test_a_document_without_a_message_is_json():
    assert line({"n": 1}).endswith(b' {"n":1}\n')
    assert line({}).endswith(b" {}\n")


def test_writers_are_told_apart_by_the_fields_that_are_set():
    one, other = ({"message": "m", "container": {"id": name}} for name in "ab")

    assert line(one, ("container.id",)) != line(other, ("container.id",))
    assert line(one, ("log.file.path",)) == line(other, ("log.file.path",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01Z", 10**9),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("1970-01-01T00:00:00.000000001Z", 1),
    ],
)
def test_times_are_read_to_the_nanosecond(text, expected):
    assert read_time(text) == expected


@pytest.mark.parametrize("value", ["shop", 12, None, "2026-11-21"])
def test_what_is_no_time_is_refused(value):
    with pytest.raises(ValueError, match=r"is no time|Invalid isoformat"):
        read_time(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["message", "host", "log", "level", "error", "a.b"]), JSON))
def test_any_document_is_whole_lines(source):
    data = line(source)

    assert data.startswith(b"<") and data.endswith(b"\n")
    assert data == line(json.loads(json.dumps(source)))
