"""What every analyzer that asks a model makes of a good answer, a bad one, and none."""

import json
import re

import pytest

from aiops_core.context import Context
from aiops_core.endpoints import TRIES, Endpoints
from aiops_core.testing.http_peer import Reply
from aiops_core.testing.messages_api import (
    GARBAGE,
    OVERLOADED,
    REFUSED,
    SERVER_ERROR,
    Failure,
    Message,
    answer,
    rate_limited,
)
from aiops_core.testing.model_bench import ANSWER, KEY, Purse

GOOD = answer(ANSWER)
UNAVAILABLE = Failure(503, "unavailable", "try later")
CUT = Message(json.dumps(ANSWER), stop_reason="max_tokens")


def test_an_answer_becomes_an_analysis_with_what_it_took(bench, ask):
    told = ask(bench, GOOD)

    assert (told.result.title, told.result.confidence, told.result.cited) == (ANSWER["title"], 0.9, ("E1",))
    assert (told.result.usage.input_tokens, told.result.usage.output_tokens) == (1_000, 200)


def test_s1_the_data_stands_between_delimiters_that_differ_in_every_call(bench, ask):
    texts = [request.body.decode() for _ in range(2) for request in ask(bench, GOOD).requests]

    tags = [set(re.findall(r"untrusted-[0-9a-f]{16}", text)) for text in texts]
    assert all(len(found) == 1 for found in tags)
    assert tags[0] != tags[-1]


# -- what may pass --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure", [OVERLOADED, UNAVAILABLE, SERVER_ERROR, rate_limited(0.01), GARBAGE], ids=str
)
def test_r24_what_may_pass_is_tried_again(plain, ask, failure):
    told = ask(plain, failure, failure, GOOD)

    assert (told.kind, len(told.requests)) == ("Analysis", 3)


@pytest.mark.parametrize("failure", [OVERLOADED, UNAVAILABLE, SERVER_ERROR])
def test_r24_an_outage_is_left_to_the_queue(bench, ask, failure):
    told = ask(bench, usual=failure)

    assert told.kind == "Retry"
    assert told.result.after > 0


def test_r24_a_limit_is_left_to_the_queue_for_as_long_as_the_server_asks(bench, ask):
    told = ask(bench, usual=rate_limited(40))

    assert told.kind == "Retry"
    assert 35 < told.result.after <= 40


def test_r24_silence_is_an_outage(plain, ask):
    told = ask(plain, usual=Reply(delay=5.0), timeout="50ms")

    assert told.kind == "Retry"
    assert "no answer within 0.05 s" in str(told.result)


@pytest.mark.parametrize("cut", ["quiet", "broken"])
def test_r24_a_stream_that_is_cut_off_is_tried_again_and_never_used(plain, ask, cut):
    cut_off = Message(json.dumps(ANSWER), cut=cut)

    told = ask(plain, cut_off, GOOD, stream=True)
    never = ask(plain, usual=cut_off, stream=True)

    assert (told.kind, len(told.requests)) == ("Analysis", 2)
    assert (never.kind, len(never.requests)) == ("Retry", 5)


def test_a_connection_that_breaks_off_is_tried_again(plain, ask):
    assert ask(plain, Reply(reset=True), GOOD).kind == "Analysis"


# -- what will not ----------------------------------------------------------------------------------


def test_r24_a_refusal_is_no_answer_and_is_not_put_again(bench, ask):
    told = ask(bench, usual=REFUSED)

    assert (told.kind, len(told.requests)) == ("NoAnswer", 1)
    assert "refused" in str(told.result)
    assert told.result.usage.output_tokens == 200


def test_r24_an_answer_that_was_cut_is_never_used_even_if_it_parses(bench, ask):
    told = ask(bench, usual=CUT)

    assert told.kind == "NoAnswer"
    assert told.result.usage.output_tokens >= 200


def test_r24_a_cut_answer_is_asked_for_once_more_with_twice_the_room(plain, ask):
    told = ask(plain, CUT, GOOD)

    assert told.kind == "Analysis"
    assert [json.loads(request.body)["max_tokens"] for request in told.requests] == [4_096, 8_192]


@pytest.mark.parametrize(
    "text", ["It is fixed.", "{", json.dumps({**ANSWER, "alternatives": [1]}), '{"title": 1}']
)
def test_r24_an_answer_that_cannot_be_used_is_mended_once(bench, ask, text):
    told = ask(bench, answer(text), GOOD)
    never = ask(bench, usual=answer(text))

    assert (told.kind, len(told.requests)) == ("Analysis", 2)
    assert told.result.usage.input_tokens == 2_000
    assert (never.kind, len(never.requests)) == ("NoAnswer", 2)
    assert str(never.result).startswith("two answers were unusable, the last one: answer: ")


def test_a_refused_key_is_a_users_mistake_and_is_not_tried_again(bench, ask):
    told = ask(bench, usual=Failure(401, "authentication_error", "invalid key"), times=3)

    assert (told.kind, "api_key" in str(told.result)) == ("UserError", True)
    assert len(told.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (402, "billing_error", "payment required"),
        (400, "invalid_request_error", "Your credit balance is too low to access the API."),
        (429, "insufficient_quota", "You exceeded your current quota (insufficient_quota)."),
        (403, "forbidden", "账户余额不足"),
    ],
)
def test_an_account_without_credit_is_told_and_asked_no_more(bench, ask, status, kind, says):
    told = ask(bench, usual=Failure(status, kind, says), times=3)

    assert told.kind == "UserError"
    assert "the account cannot pay" in str(told.result) and "Top it up, then run 'aiops reload'" in str(
        told.result
    )
    assert len(told.requests) == 1


@pytest.mark.parametrize("status", [400, 404])
def test_what_the_server_does_not_know_is_not_tried_again(plain, ask, status):
    told = ask(plain, usual=Failure(status, "invalid_request_error", "no such thing"))

    assert (told.kind, len(told.requests)) == ("UserError", 1)


# -- several addresses, one state, one budget -------------------------------------------------------


def test_addresses_are_asked_in_their_order_each_with_its_own_key(plain, ask):
    with plain.api([], usual=GOOD, key="the-second-key") as second:
        fallback = {"base_url": second.url + plain.path, "api_key": "the-second-key", "model": "another"}
        told = ask(plain, usual=OVERLOADED, fallbacks=[fallback])
        (request,) = second.requests

    assert (told.kind, len(told.requests)) == ("Analysis", 5)
    assert json.loads(request.body)["model"] == "another"
    assert KEY not in str(request.headers)


def test_an_outage_that_one_met_is_known_to_all(plain, put):
    endpoints = Endpoints()
    with plain.api([], usual=OVERLOADED, key=KEY) as api:
        found = [
            type(put(plain, plain.make(api.url, context=Context(endpoints=endpoints)), Purse())).__name__
            for _ in range(4)
        ]

        assert len(api.requests) == TRIES
    assert found == ["Retry"] * 4


def test_r23_every_call_is_reserved_at_its_most_and_settled(plain, ask):
    told = ask(plain, answer("no JSON"), GOOD)

    assert [used.input_tokens for used in told.purse.settled] == [1_000, 1_000]
    for at_most, used, request in zip(told.purse.asked, told.purse.settled, told.requests, strict=True):
        assert at_most.tokens > 4_096 + len(request.body) / 4
        assert at_most.cost > used.cost > 0


def test_r23_what_a_model_said_before_a_kill_is_not_asked_again(bench, ask):
    first = ask(bench, answer("no JSON"), GOOD)
    kept = json.loads(json.dumps(first.purse.kept))  # as the database gives it back

    half = ask(bench, usual=GOOD, purse=Purse(made=kept[:1]))
    whole = ask(bench, purse=Purse(made=kept))

    assert (len(half.requests), len(whole.requests)) == (1, 0)
    assert half.result == whole.result == first.result


def test_r23_what_no_budget_lets_through_is_not_asked(bench, ask):
    told = ask(bench, usual=GOOD, purse=Purse(0))

    assert (told.kind, told.result.rule, len(told.requests)) == ("Refused", "budget", 0)


def test_r23_a_failure_no_model_worked_on_is_free_and_one_that_broke_off_is_not(plain, ask):
    told = ask(plain, OVERLOADED, Reply(reset=True), GOOD)

    assert len(told.purse.asked) == 3
    assert told.purse.settled[0] is None and len(told.purse.settled) == 2
