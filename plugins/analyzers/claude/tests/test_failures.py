"""What goes wrong on the way: waits, other endpoints, the proxy, a key that is refused."""

import json
import threading
import time

import pytest
from aiops_analyzer_claude import ClaudeAnalyzer
from claude_scene import EVIDENCE, GOOD, INCIDENT, KEY, make

from aiops_core import (
    Context,
    NoAnswer,
    Retry,
    UserError,
)
from aiops_core.endpoints import Endpoints
from aiops_core.testing.http_peer import Reply
from aiops_core.testing.messages_api import (
    OVERLOADED,
    REFUSED,
    SERVER_ERROR,
    UNAUTHORIZED,
    Failure,
    Message,
    MessagesApi,
    answer,
    rate_limited,
)


@pytest.mark.parametrize("failure", [OVERLOADED, SERVER_ERROR, rate_limited(0.02), Failure(503)])
def test_what_may_pass_is_tried_again(ask, failure):
    analysis, api = ask(failure, failure, answer(GOOD))

    assert analysis.title == GOOD["title"]
    assert len(api.calls) == 3


def test_an_overload_inside_a_stream_is_tried_again():
    with MessagesApi([Failure(200, "overloaded_error", "Overloaded", in_stream=True), answer(GOOD)]) as api:
        assert make(api).analyze(INCIDENT, EVIDENCE).title == GOOD["title"]


def test_the_delays_are_1_2_4_8_seconds_unless_the_server_asks_for_others():
    waits = []

    class Clock(threading.Event):
        def wait(self, timeout=None):
            waits.append(timeout)
            return False

    assert ClaudeAnalyzer.delays == (1.0, 2.0, 4.0, 8.0)
    with MessagesApi([OVERLOADED, rate_limited(7), OVERLOADED, Failure(529), answer(GOOD)]) as api:
        context = Context(stopping=Clock(), endpoints=Endpoints(lambda: sum(waits)))
        make(api, delays=ClaudeAnalyzer.delays, context=context).analyze(INCIDENT, EVIDENCE)

    assert waits == [1.0, 7.0, 4.0, 8.0]


def test_a_long_pause_is_left_to_the_queue(ask):
    with pytest.raises(Retry) as caught:
        ask(rate_limited(3600))

    assert caught.value.after == 3600
    assert str(caught.value) == "claude cannot be reached: HTTP 429 rate_limit_error: slow down"


def test_five_tries_are_enough(ask):
    with pytest.raises(Retry) as caught:
        ask()

    assert str(caught.value) == "claude cannot be reached: HTTP 529 overloaded_error: Overloaded"
    assert caught.value.after == 60


def test_a_refused_key_is_not_tried_again_and_names_the_setting(ask, caplog):
    with pytest.raises(UserError) as caught:
        ask(UNAUTHORIZED)

    said = "api_key: the key was refused, HTTP 401 authentication_error: invalid x-api-key. Correct it."
    assert str(caught.value) == f"claude: {said}"
    assert said in caplog.text


def test_an_unknown_model_names_the_setting(ask):
    with pytest.raises(UserError) as caught:
        ask(Failure(404, "not_found_error", "model: claude-nope"), model="claude-nope")

    assert "Correct 'model' (claude-nope) or the address." in str(caught.value)


def test_a_refused_request_is_not_tried_again(ask):
    with pytest.raises(
        UserError, match="the request was refused, HTTP 400 invalid_request_error: no effort here"
    ):
        ask(Failure(400, "invalid_request_error", "no effort here"))


def test_an_answer_that_repeats_the_key_does_not_show_it(ask):
    with pytest.raises(UserError) as caught:
        ask(Failure(400, "invalid_request_error", f"bad key {KEY}"))

    assert "[redacted:" in str(caught.value)
    assert KEY not in str(caught.value)


def test_silence_ends_at_the_timeout(ask):
    with pytest.raises(Retry, match=r"no answer within 0\.05 s"):
        ask(usual=Message(json.dumps(GOOD), delay=0.4), timeout="50ms", delays=())


def test_a_stream_of_pings_does_not_last_for_ever():
    pings = b'event: ping\ndata: {"type": "ping"}\n\n' * 100
    endless = Reply(200, pings, {"Content-Type": "text/event-stream"}, pause=0.005)
    began = time.monotonic()

    with (
        MessagesApi(usual=endless) as api,
        pytest.raises(Retry, match=r"the answer did not end within 0\.5 s"),
    ):
        make(api, timeout="50ms", delays=()).analyze(INCIDENT, EVIDENCE)

    assert time.monotonic() - began < 15


def test_nobody_listening_is_out_of_reach():
    with MessagesApi() as api:
        pass

    with pytest.raises(Retry, match="claude cannot be reached: the connection failed"):
        make(api).analyze(INCIDENT, EVIDENCE)


def test_stopping_interrupts_the_wait():
    stopping = threading.Event()
    threading.Timer(0.05, stopping.set).start()
    began = time.monotonic()

    with MessagesApi() as api, pytest.raises(Retry, match="the pipeline is stopping"):
        make(api, delays=(30.0,), context=Context(stopping=stopping)).analyze(INCIDENT, EVIDENCE)

    assert time.monotonic() - began < 15


def test_the_next_endpoint_is_asked_with_its_own_key_and_model(stream):
    with MessagesApi(key=KEY) as first, MessagesApi([answer(GOOD)], key="other-key") as second:
        fallback = {"base_url": second.url, "api_key": "other-key", "model": "claude-sonnet-5-5"}
        analysis = make(first, stream=stream, fallbacks=[fallback]).analyze(INCIDENT, EVIDENCE)

    assert len(first.calls) == 5
    assert second.calls[0]["model"] == "claude-sonnet-5-5"
    assert analysis.usage.model == "claude-sonnet-5-5"


def test_a_fallback_is_asked_when_the_first_key_is_refused_and_named_when_its_own_is():
    with MessagesApi(key="another") as first, MessagesApi(key="yet another") as second:
        fallback = {"base_url": second.url, "api_key": "other-key"}
        analyzer = make(first, fallbacks=[fallback])
        with pytest.raises(UserError) as caught:
            analyzer.analyze(INCIDENT, EVIDENCE)

    assert str(caught.value).startswith("claude: api_key: the key was refused")
    assert len(second.calls) == 1


def test_a_refusal_is_not_carried_to_the_next_endpoint():
    with (
        MessagesApi([REFUSED]) as first,
        MessagesApi() as second,
        pytest.raises(NoAnswer, match="refused to answer"),
    ):
        make(first, fallbacks=[{"base_url": second.url}]).analyze(INCIDENT, EVIDENCE)

    assert second.requests == []


def test_the_proxy_is_used(stream):
    with MessagesApi([answer(GOOD)]) as proxy:
        analyzer = make(proxy, base_url="http://api.example.org", proxy=proxy.url, stream=stream)
        analysis = analyzer.analyze(INCIDENT, EVIDENCE)

    assert analysis.title == GOOD["title"]
    assert proxy.requests[0].path == "http://api.example.org/v1/messages"


def test_a_probe_looks_for_the_model_and_asks_nothing():
    with MessagesApi(key=KEY) as api:
        found = make(api).probe()

    assert found == "claude-opus-5-5 is there, the key is taken"
    assert [(request.method, request.path) for request in api.requests] == [
        ("GET", "/v1/models/claude-opus-5-5")
    ]


def test_a_probe_says_that_the_key_is_refused():
    with (
        MessagesApi(key="another") as api,
        pytest.raises(UserError, match="api_key: the key was refused") as error,
    ):
        make(api).probe()

    assert KEY not in str(error.value)
