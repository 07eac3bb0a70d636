"""Every document is read once: equal times, late arrivals, any page size, killed anywhere."""

from datetime import datetime, timedelta

import pytest
from aiops_source_elasticsearch import ElasticsearchConfig, ElasticsearchSource
from elasticsearch_api import Answer, Document, error
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiops_core import Context, Retry, UserError


def messages(text):
    return [line.split(" - - ", 1)[-1].rpartition(" ")[2] for line in text.decode().splitlines()]


ACTIONS = st.one_of(
    st.tuples(st.just("read"), st.integers(1, 3)),
    st.tuples(st.just("commit"), st.sampled_from([0.0, 0.4, 1.0])),
    st.tuples(st.just("kill"), st.sampled_from([0, 20, 90])),
)
ARRIVING = st.lists(
    st.tuples(st.integers(-20, 80), st.sampled_from([0, 0, 2, 15, 40])), min_size=1, max_size=25
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arriving=ARRIVING, actions=st.lists(ACTIONS, max_size=12), page_size=st.integers(1, 8))
def test_every_document_is_read_once_whatever_arrives_late_and_wherever_it_is_killed(
    scene, arriving, actions, page_size
):
    scene.begin_anew()
    for at, late in arriving:
        scene.add(at=at / 2, arrival=at / 2 + late)
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

    assert sorted(messages(one.text)) == sorted(f"m{number}" for number in range(len(arriving)))


def test_documents_of_one_millisecond_are_read_once_across_pages_and_polls(scene):
    for _ in range(25):
        scene.add(at=-5)

    one = scene.reader(once=False, page_size=4, seconds=90)
    one.read()

    assert sorted(messages(one.text)) == sorted(f"m{number}" for number in range(25))
    assert scene.api.points == {}


def test_nanoseconds_are_told_apart(scene):
    for fraction in ("000000002", "000000001", "000000003"):
        scene.add({"@timestamp": f"2026-11-21T06:59:30.{fraction}Z"})

    assert [line.rpartition(" ")[2] for line in scene.lines(page_size=1)] == ["m1", "m0", "m2"]


def test_lines_of_one_millisecond_keep_the_order_of_their_file(scene):
    for offset in (30, 10, 20, 0):
        scene.add(at=-5, **{"log.offset": offset})
    scene.add(at=-5)

    assert [line.rpartition(" ")[2] for line in scene.lines(page_size=2)] == ["m3", "m1", "m2", "m0", "m4"]


def test_documents_of_two_indices_may_have_one_id(scene):
    time = {"@timestamp": "2026-11-21T06:59:30.000Z"}
    for index in ("logs-1", "logs-2"):
        scene.api.documents.append(Document("7", {**time, "message": index}, None, index))

    assert sorted(line.rpartition(" ")[2] for line in scene.lines()) == ["logs-1", "logs-2"]


def test_the_query_and_the_span_are_sent_as_filters(scene):
    scene.lines(query="service.name: shop", start="1m")
    scene.lines(query={"term": {"service.name": "shop"}}, start="1m", time_field="event.ingested")

    text, dsl = [
        body["query"]["bool"]["filter"] for method, path, body in scene.api.requests if path == "/_search"
    ]
    span = {"gte": "2026-11-21T06:59:00.000000000Z", "lt": "2026-11-21T07:00:00.000000000Z"}
    span["format"] = "strict_date_optional_time_nanos"
    assert text == [{"range": {"@timestamp": span}}, {"query_string": {"query": "service.name: shop"}}]
    assert dsl == [{"range": {"event.ingested": span}}, {"term": {"service.name": "shop"}}]


def test_late_documents_are_counted_before_they_are_read_again(scene):
    for at in range(0, 60, 2):
        scene.add(at=at, arrival=at)

    one = scene.reader(once=False, late="40s", seconds=120)
    one.read()

    counts = [body for _, path, body in scene.api.requests if path.endswith("/_count")]
    searches = [body for _, path, body in scene.api.requests if path == "/_search"]
    wide = [body for body in searches if width(body) > 20]
    assert len(messages(one.text)) == 30
    assert len(counts) > 5
    assert len(wide) == 1


def width(body):
    span = body["query"]["bool"]["filter"][0]["range"]["@timestamp"]
    moments = [datetime.fromisoformat(span[end][:19]) for end in ("gte", "lt")]
    return (moments[1] - moments[0]) / timedelta(seconds=1)


def test_a_point_in_time_that_is_over_is_opened_anew(scene):
    for _ in range(9):
        scene.add()
    one = scene.reader(page_size=2)
    one.read(2)
    scene.api.points.clear()

    one.read()

    assert sorted(messages(one.text)) == sorted(f"m{number}" for number in range(9))
    assert one.messages == [
        f"query: 127.0.0.1:{scene.api.port}: not now (404 No search context found for id [7]). "
        "It is asked again in 1 s."
    ]


def test_an_answer_of_some_shards_is_not_taken_for_the_whole(scene):
    scene.add()
    whole = scene.api.shards
    scene.api.shards = {**whole, "successful": 0, "failed": 1}

    one = scene.reader()
    with pytest.raises(Retry, match="only a part of the shards answered"):
        one.read()
    assert one.text == b""
    assert {"allow_partial_search_results": ["false"]} in scene.api.queries


@pytest.mark.parametrize("status", [429, 502, 503])
def test_a_busy_cluster_is_asked_again_when_it_says(scene, status):
    scene.add()
    scene.api.failures = [error(status, "es_rejected_execution_exception", "rejected", Retry_After="90")]

    one = scene.reader()
    began = scene.time.now
    one.read()

    assert messages(one.text) == ["m0"]
    assert (scene.time.now - began).total_seconds() == 90
    assert one.messages == [
        f"query: 127.0.0.1:{scene.api.port}: not now ({status} rejected). It is asked again in 90 s."
    ]


def test_a_cluster_that_is_down_is_told_to_people_and_read_when_it_is_back(scene):
    scene.add()
    one = scene.reader(urls="http://127.0.0.1:1")

    with pytest.raises(Retry, match=r"^127\.0\.0\.1:1: it cannot be reached \("):
        one.read()
    assert len(one.messages) == 1


def test_an_index_that_is_not_there_yet_is_told_once_and_read_later(scene):
    scene.add(at=20, arrival=20)
    missing = error(404, "index_not_found_exception", "no such index [logs]")
    scene.api.failures = [missing, missing, missing]

    one = scene.reader(once=False, index="logs", seconds=90)
    one.read()

    assert messages(one.text) == ["m0"]
    assert one.messages == ["query: there is no index 'logs' yet. It is read as soon as there is one."]


REFUSALS = [
    (
        error(401, "security_exception", "unable to authenticate"),
        "the login is refused (401 unable to authenticate). Check 'api_key', or 'user' and 'password'",
    ),
    (
        error(403, "security_exception", "action is unauthorized"),
        "this login may not read (403 action is unauthorized). Give it the privilege 'read' on 'index'",
    ),
    (
        error(404, "", "page not found"),
        "nothing is found there (404 page not found). Check 'urls' and 'index'",
    ),
    (
        Answer(302, "", {"Location": "https://192.0.2.1/"}),
        "it redirects (302), which is not followed. Write the final 'urls'",
    ),
    (
        error(400, "parsing_exception", "unknown query [trem]"),
        "the search is refused (400 unknown query [trem]). Check 'query', 'index' and 'time_field'",
    ),
    (
        error(
            400, "media_type_header_exception", "Accept version must be either version 8 or 7, but found 9"
        ),
        "it is older than the client. Install 'elasticsearch<9' for version 8",
    ),
]


@pytest.mark.parametrize(
    ("answer", "told"), REFUSALS, ids=[str(answer.status) + told[:9] for answer, told in REFUSALS]
)
def test_what_will_not_pass_is_told_with_what_to_do(scene, answer, told):
    scene.api.failures = [answer]

    with pytest.raises(UserError) as raised:
        scene.lines()

    assert str(raised.value) == f"127.0.0.1:{scene.api.port}: {told}"


def test_what_is_no_elasticsearch_is_told(scene):
    scene.api.product = ""

    with pytest.raises(UserError, match=r"it answers, but not as Elasticsearch does\. Check 'urls'$"):
        scene.lines()


def test_an_address_with_https_where_no_tls_is_spoken_is_told(scene):
    with pytest.raises(UserError) as raised:
        scene.lines(urls=[scene.api.url.replace("http:", "https:")])

    assert str(raised.value) == f"127.0.0.1:{scene.api.port}: it speaks no TLS. Write 'urls' with http://"


def test_a_field_that_holds_no_time_is_told(scene):
    body = {"pit_id": "p", "timed_out": False, "_shards": {"failed": 0}}
    body["hits"] = {"hits": [{"_index": "i", "_id": "1", "_source": {}, "sort": ["shop", 1]}]}
    scene.api.failures = [Answer(200, {"id": "p"}), Answer(200, body)]

    with pytest.raises(
        UserError, match=r"^service: 'shop' is no time. Set 'time_field' to a field of dates$"
    ):
        scene.lines(time_field="service")


def test_of_several_nodes_one_that_is_down_is_passed_over(scene):
    scene.add()

    assert len(scene.lines(urls=["http://127.0.0.1:1", scene.api.url])) == 1


def test_a_probe_asks_for_the_last_minute_and_says_what_is_wrong(scene):
    scene.add()
    context = Context(clock=scene.time)
    nobody = ElasticsearchSource(ElasticsearchConfig(urls=["http://127.0.0.1:9"], index="logs-*"), context)

    found = ElasticsearchSource(ElasticsearchConfig(urls=[scene.api.url], index="logs-*"), context).probe()
    with pytest.raises(Retry):
        nobody.probe()

    assert found == "the query is answered"


def test_a_probe_says_when_nothing_is_found_or_there_is_no_such_index(scene):
    source = ElasticsearchSource(
        ElasticsearchConfig(urls=[scene.api.url], index="logs"), Context(clock=scene.time)
    )

    empty = source.probe()
    scene.api.failures = [error(404, "index_not_found_exception", "no such index [logs]")]
    missing = source.probe()

    assert empty == "the query is answered, with nothing of the last minute"
    assert missing == "it answers, but there is no index 'logs' yet"
