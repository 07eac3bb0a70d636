"""Every call is reserved at its most before it is made, and settled after (R23)."""

import pytest
from claude_scene import EVIDENCE, GOOD, INCIDENT, KEY, Purse, make

from aiops_core import (
    Refused,
    Retry,
    UserError,
)
from aiops_core.testing.http_peer import Reply
from aiops_core.testing.messages_api import (
    OVERLOADED,
    MessagesApi,
    answer,
    rate_limited,
)


def spend(purse, *replies, **settings):
    with MessagesApi(replies, key=KEY) as api:
        analyzer = make(api, **settings)
        with analyzer.context.exploring(None, None, purse):
            try:
                return analyzer.analyze(INCIDENT, EVIDENCE), api
            except (Retry, UserError, Refused) as error:
                return error, api


def test_what_asking_would_take_is_estimated_without_asking():
    with MessagesApi(key=KEY) as api:
        found = make(api).estimate(INCIDENT, EVIDENCE)

        assert api.calls == []
    assert (found.model, found.output_tokens) == ("claude-opus-5-5", 2048)
    assert 500 < found.input_tokens < 10_000
    assert found.cost == pytest.approx((found.input_tokens * 4 + 2048 * 20) / 1_000_000)


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
