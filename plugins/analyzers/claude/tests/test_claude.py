import json
import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from aiops_analyzer_claude import ClaudeAnalyzer, ClaudeConfig, calls
from pydantic import ValidationError

from aiops_core import (
    Context,
    Evidence,
    Incident,
    NoAnswer,
    Question,
    Refused,
    Retry,
    Target,
    Tool,
    Usage,
    UserError,
)
from aiops_core.endpoints import Endpoints
from aiops_core.testing.http_peer import Reply
from aiops_core.testing.messages_api import (
    GARBAGE,
    OVERLOADED,
    REFUSED,
    SERVER_ERROR,
    UNAUTHORIZED,
    Failure,
    Message,
    MessagesApi,
    ToolUse,
    answer,
    looks_up,
    rate_limited,
)

KEY = "sk-ant-api03-dummy-dummy-dummy"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
INCIDENT = Incident(1, "p", "f", "t", "KeyError", "'total'", "python", "error", "new", 3, NOW, NOW)
EVIDENCE = [
    Evidence("log", "log", "KeyError: 'total'", id="E1"),
    Evidence("source", "a.py", "x = 1", id="E2"),
]
GOOD = {
    "title": "The total is missing",
    "summary": "s",
    "root_cause": "r",
    "repair_steps": ["set it"],
    "cited": ["E1", "E7"],
    "confidence": 0.9,
    "edits": [{"kind": "replace", "path": "a.py", "search": "x = 1", "replace": "x = 2"}],
}


def make(api, *, delays=(0.001, 0.001, 0.001, 0.001), context=None, **settings):
    values = {"api_key": KEY, "base_url": api.url, "model": "claude-opus-5-5", **settings}
    analyzer = ClaudeAnalyzer(ClaudeConfig.model_validate(values), context or Context())
    analyzer.delays = delays
    return analyzer


@pytest.fixture(params=[True, False], ids=["streamed", "whole"])
def stream(request):
    return request.param


@pytest.fixture
def ask(stream, caplog):
    """Return what an analyzer says to a script, and how it asked."""
    caplog.set_level(logging.DEBUG)

    def ask(*replies, usual=OVERLOADED, **settings):
        with MessagesApi(replies, usual=usual, key=KEY) as api:
            analyzer = make(api, stream=stream, **settings)
            try:
                return analyzer.analyze(INCIDENT, EVIDENCE), api
            except NoAnswer as reason:
                return reason, api
            finally:
                assert KEY not in caplog.text
                assert KEY not in repr(analyzer.config)

    return ask


# -- what is asked and what comes of it -----------------------------------------------------------


def test_an_answer_becomes_an_analysis(ask):
    analysis, _ = ask(answer(GOOD))

    assert (analysis.title, analysis.confidence) == ("The total is missing", 0.9)
    assert analysis.edits[0].path == "a.py"
    assert (analysis.cited, analysis.provable) == (("E1",), False)


def test_the_request_is_structured_cached_and_fenced(ask, stream):
    _, api = ask(answer(GOOD), effort="low", max_tokens=1234, language="zh")

    (body,) = api.calls
    assert (body["model"], body["max_tokens"]) == ("claude-opus-5-5", 1234)
    assert body["output_config"]["format"]["type"] == "json_schema"
    assert body["output_config"]["format"]["schema"]["additionalProperties"] is False
    assert body["output_config"]["effort"] == "low"
    assert body["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert "Chinese" in body["system"][0]["text"] and "KeyError" not in body["system"][0]["text"]
    assert "<untrusted-" in body["messages"][0]["content"]
    assert bool(body.get("stream")) is stream
    assert not {"temperature", "top_p", "top_k"} & set(body)
    assert api.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert api.requests[0].headers["x-stainless-retry-count"] == "0"


def test_edits_may_come_as_code_blocks_where_the_api_enforces_no_shape(ask):
    said = json.dumps({key: value for key, value in GOOD.items() if key != "edits"})
    block = (
        '<code_block filename="a.py">\n<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE\n</code_block>'
    )

    analysis, api = ask(answer(f"{said}\n{block}"), edits="code_blocks")

    (body,) = api.calls
    assert [(edit.path, edit.search, edit.replace) for edit in analysis.edits] == [
        ("a.py", "x = 1\n", "x = 2\n")
    ]
    assert "output_config" not in body
    assert "<code_block filename=" in body["system"][0]["text"]
    assert "code_block" not in ask(answer(GOOD))[1].calls[0]["system"][0]["text"]


def test_the_language_is_the_pipelines_unless_it_is_set(ask):
    _, english = ask(answer(GOOD))
    _, chinese = ask(answer(GOOD), context=Context(language="zh"))

    assert "in English" in english.calls[0]["system"][0]["text"]
    assert "Chinese" in chinese.calls[0]["system"][0]["text"]


def test_thinking_is_no_part_of_the_answer(ask):
    analysis, _ = ask(Message(json.dumps(GOOD), thinking='{"title": "not this"}'))

    assert analysis.title == "The total is missing"


def test_tokens_and_cost_are_recorded(ask):
    message = Message(
        json.dumps(GOOD), input_tokens=1000, output_tokens=200, cache_read_tokens=500, cache_write_tokens=100
    )

    analysis, _ = ask(message)

    assert analysis.usage == Usage("claude-opus-5-5", 1000, 200, 500, 100, cost=0.0086)


def test_what_asking_would_take_is_estimated_without_asking():
    with MessagesApi(key=KEY) as api:
        found = make(api).estimate(INCIDENT, EVIDENCE)

        assert api.calls == []
    assert (found.model, found.output_tokens) == ("claude-opus-5-5", 2048)
    assert 500 < found.input_tokens < 10_000
    assert found.cost == pytest.approx((found.input_tokens * 4 + 2048 * 20) / 1_000_000)


def test_a_model_without_a_price_has_an_unknown_cost(ask):
    analysis, _ = ask(answer(GOOD), model="claude-tomorrow")

    assert analysis.usage.cost is None
    assert analysis.usage.input_tokens == 1000


# -- looking things up ---------------------------------------------------------------------------


class Shelf:
    """An explorer with one file."""

    tools = (
        Tool("read_file", "Show a file.", {"type": "object", "properties": {"path": {"type": "string"}}}),
    )

    def __init__(self, left=5):
        self.left = left
        self.asked = []
        self.found = []

    def call(self, name, arguments):
        self.left -= 1
        self.asked.append((name, arguments))
        self.found.append(Evidence("source", "b.py", "y = 1", id=f"X{len(self.asked)}"))
        return f"EVIDENCE X{len(self.asked)}"


@pytest.fixture
def explore(stream):
    def explore(*replies, shelf, **settings):
        with MessagesApi(replies, usual=OVERLOADED, key=KEY) as api:
            analyzer = make(api, stream=stream, **settings)
            with analyzer.context.exploring(shelf):
                try:
                    return analyzer.analyze(INCIDENT, EVIDENCE), api
                except NoAnswer as reason:
                    return reason, api

    return explore


def test_the_model_looks_things_up_before_it_answers(explore):
    shelf = Shelf()
    asks = looks_up(
        ToolUse("read_file", {"path": "b.py"}, "one"),
        ToolUse("read_file", {"path": "c.py"}, "two"),
        thinking="hm",
    )

    analysis, api = explore(asks, answer({**GOOD, "cited": ["E1", "X2"]}), shelf=shelf)

    first, second = api.calls
    assert shelf.asked == [("read_file", {"path": "b.py"}), ("read_file", {"path": "c.py"})]
    assert (analysis.cited, analysis.provable) == (("E1", "X2"), True)
    assert analysis.usage.input_tokens == 2000
    assert [tool["name"] for tool in first["tools"]] == ["read_file"] and "LOOKING FURTHER" in first[
        "system"
    ][0]["text"]
    said, shown = second["messages"][1:]
    assert [block["type"] for block in said["content"]] == ["thinking", "tool_use", "tool_use"]
    assert (said["content"][0]["thinking"], said["content"][1]["input"]) == ("hm", {"path": "b.py"})
    assert shown["content"] == [
        {"type": "tool_result", "tool_use_id": "one", "content": "EVIDENCE X1"},
        {"type": "tool_result", "tool_use_id": "two", "content": "EVIDENCE X2"},
    ]


def test_a_mended_answer_keeps_what_was_looked_up(explore):
    asks = looks_up(ToolUse("read_file", {"path": "b.py"}))

    analysis, api = explore(asks, answer("nonsense"), answer(GOOD), shelf=Shelf())

    assert analysis.title == "The total is missing"
    assert [message["role"] for message in api.calls[-1]["messages"]] == ["user", "assistant"] * 2 + ["user"]


def test_when_no_look_ups_are_left_the_model_is_told_to_answer(explore):
    asks = looks_up(ToolUse("read_file", {"path": "b.py"}))

    analysis, api = explore(asks, answer(GOOD), shelf=Shelf(left=1))
    nothing, more = explore(asks, asks, shelf=Shelf(left=1))

    assert analysis.title == "The total is missing"
    assert [body["tool_choice"]["type"] for body in api.calls] == ["auto", "none"]
    assert str(nothing) == "the model asked for a tool it has not, or for more look-ups than there are"
    assert len(more.calls) == 2


def test_exploring_can_be_switched_off(explore):
    shelf = Shelf()

    analysis, api = explore(answer(GOOD), shelf=shelf, explore=False)

    assert (analysis.title, shelf.asked) == ("The total is missing", [])
    assert "tools" not in api.calls[0] and "LOOKING FURTHER" not in api.calls[0]["system"][0]["text"]


# -- every stop reason has a route ----------------------------------------------------------------


def test_r24_a_cut_answer_is_asked_for_once_more_with_twice_the_room(ask):
    analysis, api = ask(Message(json.dumps(GOOD)[:50], stop_reason="max_tokens"), answer(GOOD))

    assert [body["max_tokens"] for body in api.calls] == [4096, 8192]
    assert analysis.usage.output_tokens == 400


def test_r24_a_cut_answer_is_never_used_even_if_it_parses(ask, caplog):
    analysis, api = ask(usual=Message(json.dumps(GOOD), stop_reason="max_tokens"))

    assert isinstance(analysis, NoAnswer)
    assert analysis.usage.input_tokens
    assert len(api.calls) == 2
    assert "the answer did not fit, not even into twice `max_tokens`; raise it" in caplog.text
    assert "[2000 tokens in, 400 out, 0.0160 USD]" in caplog.text


def test_a_refusal_passes_to_the_next_analyzer_without_asking_again(ask, caplog):
    analysis, api = ask(REFUSED, usual=answer(GOOD))

    assert isinstance(analysis, NoAnswer)
    assert analysis.usage.input_tokens
    assert len(api.calls) == 1
    assert "claude gives no answer: the model refused to answer (cyber not allowed)" in caplog.text


@pytest.mark.parametrize(
    ("reason", "says", "calls"),
    [
        ("tool_use", "the model asked for a tool it has not, or for more look-ups than there are", 1),
        ("stop_sequence", "stopped by a stop sequence", 1),
        ("pause_turn", "the model paused twice without an answer", 2),
        ("something_new", "unknown reason 'something_new'", 1),
    ],
)
def test_r24_other_stop_reasons_give_no_answer(ask, caplog, reason, says, calls):
    analysis, api = ask(usual=Message(json.dumps(GOOD), stop_reason=reason))

    assert isinstance(analysis, NoAnswer)
    assert analysis.usage.input_tokens
    assert len(api.calls) == calls
    assert says in caplog.text


def test_a_pause_is_resumed_once(ask):
    analysis, _ = ask(Message("", stop_reason="pause_turn"), answer(GOOD))

    assert analysis.title == GOOD["title"]


@pytest.mark.parametrize(
    "first",
    [
        Message("", stop_reason="model_context_window_exceeded"),
        Failure(400, "invalid_request_error", "prompt is too long: 300000 tokens > 200000 maximum"),
        Failure(413, "request_too_large", "Request exceeds the maximum size"),
    ],
)
def test_too_much_evidence_is_shortened_once(stream, first):
    long = [Evidence("log", "log", "x" * 9_000, id="E1")]
    with MessagesApi([first, answer(GOOD)]) as api:
        analysis = make(api, stream=stream).analyze(INCIDENT, long)

    sizes = [len(body["messages"][0]["content"]) for body in api.calls]
    assert analysis.title == GOOD["title"]
    assert sizes[0] > 9_000 > 3_000 > sizes[1]


def test_evidence_that_is_too_much_even_shortened_gives_no_answer(ask, caplog):
    analysis, _ = ask(usual=Message("", stop_reason="model_context_window_exceeded"))

    assert isinstance(analysis, NoAnswer)
    assert analysis.usage.input_tokens
    assert "the model's context window is too small for this incident" in caplog.text


@pytest.mark.parametrize("cut", ["quiet", "broken"])
def test_a_stream_that_is_cut_off_is_tried_again(cut):
    with MessagesApi([Message(json.dumps(GOOD), cut=cut), answer(GOOD)]) as api:
        analysis = make(api).analyze(INCIDENT, EVIDENCE)

    assert analysis.title == GOOD["title"]
    assert len(api.calls) == 2


def test_a_stream_that_is_always_cut_off_gives_nothing():
    with MessagesApi(usual=Message(json.dumps(GOOD), cut="quiet")) as api, pytest.raises(Retry) as caught:
        make(api).analyze(INCIDENT, EVIDENCE)

    assert str(caught.value) == "claude cannot be reached: the stream was cut off before its end"
    assert len(api.calls) == 5


# -- answers that are no answers ------------------------------------------------------------------


def test_an_unusable_answer_is_mended_once(ask):
    bad = {**GOOD, "alternatives": [1]}

    analysis, api = ask(answer(bad), answer(GOOD))

    first, answered, mend = api.calls[1]["messages"]
    assert analysis.title == GOOD["title"]
    assert (first["role"], json.loads(answered["content"])) == ("user", bad)
    assert "answer: 'alternatives' proposes alternatives. Propose one edit set or none." in mend["content"]


@pytest.mark.parametrize("text", ["", "{", "I cannot.", "null", '{"title": 1}', "\x00" * 10])
def test_r24_two_unusable_answers_are_no_answer(ask, caplog, text):
    analysis, api = ask(usual=answer(text))

    assert isinstance(analysis, NoAnswer)
    assert analysis.usage.input_tokens
    assert len(api.calls) == 2
    assert "two answers were unusable, the last one: answer: " in caplog.text


@pytest.mark.parametrize(
    "garbage",
    [
        GARBAGE,
        Reply(200, b"{}", {"Content-Type": "application/json"}),
        Reply(200, b'{"type": "message", "content": null}', {"Content-Type": "application/json"}),
        Reply(200, b"", {"Content-Type": "text/event-stream"}),
        Reply(200, b"event: message_start\ndata: {nonsense\n\n", {"Content-Type": "text/event-stream"}),
        Reply(reset=True),
    ],
)
def test_what_is_no_message_is_tried_again(ask, garbage):
    analysis, api = ask(garbage, answer(GOOD))

    assert analysis.title == GOOD["title"]
    assert len(api.requests) == 2


# -- failures -------------------------------------------------------------------------------------


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


# -- fallbacks and proxy --------------------------------------------------------------------------


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


# -- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["temperature", "top_p", "top_k"])
def test_sampling_settings_are_refused_with_the_reason(name):
    with pytest.raises(ValidationError) as caught:
        ClaudeConfig.model_validate({"api_key": KEY, name: 0})

    assert caught.value.errors()[0]["loc"] == (name,)
    assert ClaudeConfig.gone[name] == (
        "the Claude API has no sampling settings any more and would refuse it. "
        "Remove it; `effort` says how hard the model tries"
    )
    assert KEY not in str(caught.value)


def test_importing_the_plugin_does_not_import_the_sdk():
    import subprocess
    import sys

    code = "import sys, aiops_analyzer_claude; sys.exit('anthropic' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -- budgets ----------------------------------------------------------------------------------------


class Purse:
    """Let so many calls through, and keep what was asked for and settled."""

    said = None

    def __init__(self, calls=99):
        self.left = calls
        self.asked, self.settled = [], []

    @contextmanager
    def __call__(self, at_most):
        if not self.left:
            raise Refused("the budget is used up", rule="budget", setting="policy.budget.per_day")
        self.left -= 1
        self.asked.append(at_most)
        yield self

    def settle(self, usage, said=None):
        self.settled.append(usage)


def spend(purse, *replies, **settings):
    with MessagesApi(replies, key=KEY) as api:
        analyzer = make(api, **settings)
        with analyzer.context.exploring(None, None, purse):
            try:
                return analyzer.analyze(INCIDENT, EVIDENCE), api
            except (Retry, UserError, Refused) as error:
                return error, api


def test_r23_a_call_asks_for_what_it_may_take_at_the_most(stream):
    purse = Purse()

    analysis, api = spend(purse, answer(GOOD), stream=stream)

    (at_most,) = purse.asked
    sent = len(api.requests[0].body)
    assert (at_most.model, at_most.tokens > 4096 + sent / 4) == ("claude-opus-5-5", True)
    assert at_most.cost == pytest.approx((at_most.tokens - 4096) * 5e-6 + 4096 * 20e-6)
    assert purse.settled == [analysis.usage]


def test_r23_a_call_no_model_worked_on_is_free_and_one_that_broke_off_is_not(stream):
    purse = Purse()

    spend(purse, OVERLOADED, rate_limited(0), Reply(reset=True), answer(GOOD), stream=stream)

    assert len(purse.asked) == 4
    assert purse.settled[:2] == [None, None] and len(purse.settled) == 3


def test_an_address_nobody_listens_at_costs_nothing(stream):
    purse = Purse()
    with MessagesApi() as api:
        pass
    analyzer = make(api, stream=stream)

    with analyzer.context.exploring(None, None, purse), pytest.raises(Retry):
        analyzer.analyze(INCIDENT, EVIDENCE)

    assert purse.settled == [None] * 5


def test_r23_what_no_budget_lets_through_is_not_asked(stream):
    refusal, api = spend(Purse(calls=1), answer("no JSON"), stream=stream)

    assert (refusal.rule, refusal.setting) == ("budget", "policy.budget.per_day")
    assert len(api.requests) == 1


def test_a_model_without_a_price_asks_for_tokens_only(stream):
    purse = Purse()

    spend(purse, answer(GOOD), model="our-own", stream=stream)

    assert (purse.asked[0].model, purse.asked[0].cost) == ("our-own", None)


def test_a_conversation_that_look_ups_make_longer_is_cached_by_the_vendors_api():
    question = Question("system", [{"role": "user", "content": "x"}], 100, 1.0, False, tools=Shelf.tools)
    vendor, gateway = Target("", KEY, "m"), Target("https://gateway.example", KEY, "m")

    assert calls._arguments(vendor, question)["cache_control"] == {"type": "ephemeral"}
    assert "cache_control" not in calls._arguments(gateway, question)
    assert "cache_control" not in calls._arguments(vendor, replace(question, tools=()))


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
