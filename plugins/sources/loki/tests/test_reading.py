"""Every line is read once: equal nanoseconds, several streams, late arrivals, any page size, killed anywhere."""

import re

import pytest
from aiops_source_loki import LokiConfig, LokiSource
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loki_api import Answer

from aiops_core import Context, Retry, UserError


def texts(lines):
    lines = lines.decode().splitlines() if isinstance(lines, bytes) else lines
    return [line.partition("] ")[2] for line in lines]


def everything(scene):
    return sorted(one.line for one in scene.api.entries)


ACTIONS = st.one_of(
    st.tuples(st.just("read"), st.integers(1, 3)),
    st.tuples(st.just("commit"), st.sampled_from([0.0, 0.4, 1.0])),
    st.tuples(st.just("kill"), st.sampled_from([0, 20, 90])),
)
ARRIVING = st.lists(
    st.tuples(st.integers(-20, 80), st.integers(0, 1), st.sampled_from([0, 0, 2, 15, 40]), st.integers(0, 3)),
    min_size=1,
    max_size=25,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arriving=ARRIVING, actions=st.lists(ACTIONS, max_size=12), page_size=st.integers(1, 8))
def test_every_line_is_read_once_whatever_arrives_late_and_wherever_it_is_killed(
    scene, arriving, actions, page_size
):
    scene.begin_anew()
    for at, nanoseconds, late, stream in arriving:
        scene.add(at=at / 2, nanoseconds=nanoseconds, arrival=at / 2 + late, app=f"a{stream}")
    one = scene.reader(
        once=False,
        page_size=page_size,
        late="40s",
        interval="15s",
        delay="2s",
        start="2026-11-21T06:59:00Z",
    )

    for action, value in actions:
        getattr(one, action)(value)
    scene.time.go_on(180)
    one.kill()
    one.read()

    assert sorted(texts(one.text)) == everything(scene)


def test_lines_of_one_nanosecond_are_read_once_across_pages_streams_and_polls(scene):
    for number in range(40):
        scene.add(at=-5, app=f"a{number % 3}")

    one = scene.reader(once=False, page_size=7, seconds=90)
    one.read()

    assert sorted(texts(one.text)) == everything(scene)


def test_lines_of_one_nanosecond_keep_the_order_of_their_stream(scene):
    for _ in range(30):
        scene.add(at=-5)

    assert texts(scene.lines(page_size=4)) == [f"m{number}" for number in range(30)]


def test_lines_come_in_the_order_of_time_across_streams(scene):
    for number in range(20):
        scene.add(at=-20 + number / 10, app=f"a{number % 3}")

    assert texts(scene.lines(page_size=3)) == [f"m{number}" for number in range(20)]


def test_a_nanosecond_that_fills_a_page_makes_it_as_large_as_loki_allows(scene):
    scene.api.most = 25
    for _ in range(24):
        scene.add(at=-5)
    scene.add(at=-4)

    one = scene.reader(page_size=4)
    one.read()

    assert sorted(texts(one.text)) == everything(scene)
    assert one.messages == []
    assert [int(query["limit"]) for query in scene.api.requests] == [4, 4, 8, 16, 32, 25, 4]


def test_more_lines_of_one_nanosecond_than_loki_gives_at_once_are_told_and_the_next_are_read(scene):
    scene.api.most = 10
    for _ in range(15):
        scene.add(at=-5)
    scene.add("next", at=-4)

    one = scene.reader(page_size=4, late="0s")
    one.read()

    assert len(texts(one.text)) == 11
    assert texts(one.text)[-1] == "next"
    assert len(one.messages) == 1
    assert one.messages[0].endswith(
        "it gives at once; the rest is left out. Raise max_entries_limit_per_query in Loki, or use several "
        "sources with narrower queries."
    )


def test_a_page_size_larger_than_loki_allows_is_made_smaller(scene):
    scene.api.most = 3
    for number in range(8):
        scene.add(at=-20 + number)

    assert sorted(texts(scene.lines(page_size=500))) == everything(scene)


def test_a_refused_page_size_without_a_number_is_told(scene):
    scene.api.failures = [Answer(400, b"max entries limit per query exceeded")]

    with pytest.raises(UserError, match=r"Loki gives no 500 entries at once\. Make 'page_size' smaller$"):
        scene.lines()


def test_a_long_time_is_asked_for_a_day_at_once(scene):
    scene.add(at=-86400 * 2.5)
    scene.add(at=-30)

    assert texts(scene.lines(start="3d")) == ["m0", "m1"]
    assert max(int(query["end"]) - int(query["start"]) for query in scene.api.requests) == 86400 * 10**9


def test_equal_lines_of_different_streams_are_two(scene):
    scene.add("same", app="a")
    scene.add("same", app="b")

    assert texts(scene.lines()) == ["same", "same"]


def test_the_query_is_sent_as_written(scene):
    scene.lines(query='{app="shop"} |= "ERROR"', start="1m", page_size=77)

    (asked,) = scene.api.requests
    assert (asked["query"], asked["limit"]) == ('{app="shop"} |= "ERROR"', "77")
    assert int(asked["end"]) - int(asked["start"]) == 60 * 10**9


# -- what a line becomes ------------------------------------------------------------------------


def test_a_line_has_its_writer_level_and_labels(scene):
    scene.add("no price", nanoseconds=123456789, app="shop", node="web1", level="error", namespace="prod")

    (line,) = scene.lines()

    assert re.sub('stream="[0-9a-f]{12}"', 'stream="S"', line) == (
        '<11>1 2026-11-21T06:59:30.123456Z web1 shop - - [aiops@32473 stream="S" app="shop" node="web1" '
        'namespace="prod"] no price'
    )


def streams_of(lines):
    return [re.search('stream="([0-9a-f]+)"', line)[1] for line in lines]


def test_streams_that_differ_in_their_level_alone_are_one(scene):
    scene.add(at=-9, app="a", level="error")
    scene.add(at=-8, app="a", level="unknown")
    scene.add(at=-7, app="b", level="error")

    first, second, third = streams_of(scene.lines())

    assert first == second != third


@pytest.mark.parametrize("categorizes", [True, False])
def test_metadata_of_single_lines_makes_no_streams(scene, categorizes):
    scene.api.categorizes = categorizes
    for number in range(3):
        scene.add(at=-9 + number, app="a", metadata={"trace_id": f"t{number}", "detected_level": "error"})

    lines = scene.lines()

    assert len(set(streams_of(lines))) == 1
    assert all(line.startswith("<11>1 ") for line in lines)


def test_streams_are_told_apart_by_the_labels_that_are_named(scene):
    scene.add(at=-9, pod="p1", job="1")
    scene.add(at=-8, pod="p1", job="2")
    scene.add(at=-7, pod="p2", job="2")

    first, second, third = streams_of(scene.lines(stream_labels=["pod"]))

    assert first == second != third


def test_a_loki_that_begins_to_keep_metadata_apart_changes_no_identity(scene):
    for number in range(6):
        scene.add(at=-9 + number, metadata={"trace_id": f"t{number}"})
    scene.api.categorizes = False
    one = scene.reader(once=False, seconds=60)
    one.read()
    one.commit()

    scene.api.categorizes = True
    scene.time.go_on(120)
    one.kill()
    one.read()

    assert sorted(texts(one.text)) == everything(scene)


def test_an_entry_of_several_lines_is_as_many_lines(scene):
    scene.add("failed\n  at f\n  at g\n", app="a")

    lines = scene.lines()

    assert texts(lines) == ["failed", "  at f", "  at g"]
    assert len({line.partition("] ")[0] for line in lines}) == 1


# -- troubles -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_loki_is_asked_again_when_it_says(scene, status):
    scene.add()
    scene.api.failures = [Answer(status, b"too many outstanding requests", {"Retry-After": "90"})]

    one = scene.reader()
    began = scene.time.now
    one.read()

    assert texts(one.text) == ["m0"]
    assert (scene.time.now - began).total_seconds() == 90
    assert one.messages == [
        f"query: {scene.api.place}: not now ({status} too many outstanding requests). It is asked again in 90 s."
    ]


def test_a_loki_that_fails_between_two_pages_is_read_on(scene):
    for number in range(9):
        scene.add(at=-9 + number)
    one = scene.reader(page_size=3)
    one.read(2)
    scene.api.failures = [Answer(502, b"bad gateway"), Answer(200, b"<html>")]

    one.read()

    assert sorted(texts(one.text)) == everything(scene)


def test_a_web_page_in_the_place_of_an_answer_is_told(scene):
    scene.api.failures = [Answer(200, b"<!DOCTYPE html><title>Log in</title>")]
    one = scene.reader()

    one.read()

    told = "the answer is a web page. Check 'url'. It is asked again in"
    assert one.messages[0].startswith(f"query: {scene.api.place}: {told}")


def test_a_loki_that_is_down_is_told_to_people(scene):
    one = scene.reader(url="http://127.0.0.1:1")

    with pytest.raises(Retry, match=r"^127\.0\.0\.1:1: it cannot be reached \("):
        one.read()
    assert len(one.messages) == 1


REFUSALS = [
    (
        Answer(401, b"no org id\n"),
        "the login is refused (401 no org id). Check 'token', 'user' and 'password', or 'tenant'",
    ),
    (
        Answer(403, b"forbidden"),
        "this login may not read (403 forbidden). Check 'token', 'user' and 'password', or 'tenant'",
    ),
    (Answer(404, b"404 page not found"), "nothing is found there (404 404 page not found). Check 'url'"),
    (
        Answer(400, b"parse error at line 1, col 6: syntax error"),
        "the query is refused (400 parse error at line 1, col 6: syntax error). Check 'query'",
    ),
    (
        Answer(302, b"", {"Location": "http://192.0.2.1/"}),
        "it redirects (302), which is not followed. Write the final 'url'",
    ),
    (
        Answer(401, b"<html><head><title>401 Authorization Required</title></head></html>"),
        "the login is refused (401). Check 'token', 'user' and 'password', or 'tenant'",
    ),
    (Answer(200, b'{"data": {}}'), "the answer is none of Loki. Check 'url' and 'query'"),
    (
        Answer(200, b'{"data": {"resultType": "matrix", "result": []}}'),
        "the query gives a matrix, not lines of logs. Check 'url' and 'query'",
    ),
]


@pytest.mark.parametrize(("answer", "told"), REFUSALS, ids=[told[:28] for _, told in REFUSALS])
def test_what_will_not_pass_is_told_with_what_to_do(scene, answer, told):
    scene.api.failures = [answer]

    with pytest.raises(UserError) as raised:
        scene.lines()

    assert str(raised.value) == f"{scene.api.place}: {told}"


def test_an_address_with_https_where_no_tls_is_spoken_is_told(scene):
    with pytest.raises(UserError) as raised:
        scene.lines(url=scene.api.url.replace("http:", "https:"))

    assert str(raised.value) == f"{scene.api.place}: it speaks no TLS. Write 'url' with http://"


def test_a_probe_asks_for_the_last_minute_once_and_says_what_is_wrong(scene):
    scene.add()
    context = Context(clock=scene.time)
    nobody = LokiSource(LokiConfig(url="http://127.0.0.1:9", query='{app="shop"}'), context)

    found = LokiSource(LokiConfig(url=scene.api.url, query='{app="shop"}'), context).probe()
    with pytest.raises(Retry):
        nobody.probe()

    scene.api.entries.clear()
    empty = LokiSource(LokiConfig(url=scene.api.url, query='{app="shop"}'), context).probe()

    assert (found, len(scene.api.requests)) == ("the query is answered", 2)
    assert empty == "the query is answered, with nothing of the last minute"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"query": "app=shop"}, "'app=shop' selects no streams: begin with a selector, as in {app=\"shop\"}"),
        ({"tenant": "a b"}, "is no tenant: Loki takes 150 letters, digits and !-_.*'()| at most"),
    ],
    ids=str,
)
def test_settings_that_loki_would_refuse_are_told_in_words(settings, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        LokiConfig(**{"url": "http://loki:3100", "query": '{a="b"}'} | settings)
