"""Every reason a model stops for has its route, and what is no answer is none (R24)."""

import json

import pytest
from claude_scene import EVIDENCE, GOOD, INCIDENT, make

from aiops_core import (
    Evidence,
    NoAnswer,
    Retry,
)
from aiops_core.testing.http_peer import Reply
from aiops_core.testing.messages_api import (
    GARBAGE,
    REFUSED,
    Failure,
    Message,
    MessagesApi,
    answer,
)


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
