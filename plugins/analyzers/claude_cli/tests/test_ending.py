"""Every end of a session has a route (R24)."""

import pytest
from aiops_analyzer_claude_cli import ClaudeCliConfig
from aiops_analyzer_claude_cli.ending import answer_text
from aiops_analyzer_claude_cli.ledger import Failure, Ledger, Meter
from aiops_analyzer_claude_cli.session import Ending

from aiops_core import NoAnswer, Retry, UserError
from aiops_core.repair import Result

CONFIG = ClaudeCliConfig(api_key="k", max_turns=7, max_cost=0.5, timeout="90s")
GOOD = {"subtype": "success", "is_error": False, "result": "{}", "total_cost_usd": 0.25}


def end(code=0, stopped="", failure=None, stop_reason="end_turn", said=GOOD, output=""):
    ledger = Ledger(10)
    ledger.answered("m", stop_reason, {"input_tokens": 5, "output_tokens": 1})
    if failure is not None:
        ledger.failed(failure)
    return answer_text(Ending(Result(code, 1.0, output, stopped), said), ledger, CONFIG)


def test_a_whole_end_gives_the_answer():
    assert end() == "{}"
    assert end(said={**GOOD, "terminal_reason": "completed"}) == "{}"


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"stopped": "timeout"}, "the session did not end within 90 s; raise `timeout`"),
        ({"stopped": "output"}, "it printed without end"),
        ({"stopped": "processes"}, "it started too many processes"),
        ({"stopped": "memory"}, "it used too much memory"),
        ({"stopped": "disk"}, "the disk was almost full"),
        ({"stop_reason": "refusal", "code": 1}, "the model refused to answer"),
        ({"stop_reason": "max_tokens", "code": 1}, "an answer of the model did not fit"),
        (
            {"stop_reason": "model_context_window_exceeded"},
            "the model's context window is too small for this incident",
        ),
        (
            {"said": {}, "code": 143, "output": "Killed\n"},
            "the program ended with exit code 143 and without a result: Killed",
        ),
        ({"said": {}}, "the program ended with exit code 0 and without a result: it printed nothing"),
        (
            {"said": {**GOOD, "subtype": "error_max_turns"}, "code": 1},
            "it had not finished after 7 turns; raise `max_turns`",
        ),
        (
            {"said": {**GOOD, "subtype": "error_max_budget_usd"}, "code": 1},
            "it had not finished when 0.5 US dollars were spent; raise `max_cost`",
        ),
        (
            {"said": {**GOOD, "is_error": True, "result": "API Error: odd"}},
            "the program ended with an error: API Error: odd",
        ),
        ({"code": 1}, "the program ended with an error: {}"),
        ({"said": {**GOOD, "terminal_reason": "aborted"}}, "the program ended with an error: {}"),
        (
            {"said": {"subtype": "error_during_execution", "is_error": True}},
            "the program ended with an error: error_during_execution",
        ),
        ({"failure": Failure(400, "bad")}, "the API refuses the request (HTTP 400 bad)"),
    ],
)
def test_an_end_without_an_answer_says_why_and_what_it_took(facts, reason):
    with pytest.raises(NoAnswer) as none:
        end(**facts)

    assert str(none.value) == reason
    assert (none.value.usage.input_tokens, none.value.usage.output_tokens) == (5, 1)


@pytest.mark.parametrize(
    ("failure", "reason", "after"),
    [
        (Failure(529, "overloaded"), "claude cannot be reached: HTTP 529: overloaded", 60),
        (Failure(429, "slow down", 7), "claude cannot be reached: HTTP 429: slow down", 7),
        (Failure(0, "refused"), "claude cannot be reached: refused", 60),
    ],
)
def test_what_may_pass_is_tried_again_later(failure, reason, after):
    with pytest.raises(Retry) as retry:
        end(failure=failure, code=1)

    assert (str(retry.value), retry.value.after) == (reason, after)


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (
            Failure(401, "invalid x-api-key"),
            "claude_cli: the API refuses the key (HTTP 401 invalid x-api-key). Check 'api_key'.",
        ),
        (Failure(404, "model: x"), "claude_cli: HTTP 404 model: x. Check 'model' and 'base_url'."),
    ],
)
def test_a_mistake_of_people_names_its_setting(failure, reason):
    with pytest.raises(UserError) as mistake:
        end(failure=failure, code=1)

    assert str(mistake.value) == reason


def test_a_failure_that_passed_is_forgotten():
    ledger = Ledger(10)
    ledger.failed(Failure(529, "overloaded"))
    ledger.answered("m", "end_turn", {})

    assert ledger.failure is None


@pytest.mark.parametrize(
    "noise", [b"data: {\n", b"data: []\n", b"\xff\n", b": ping\n", b"data: " + b"[" * 9999 + b"\n"]
)
def test_a_stream_is_measured_whatever_stands_in_it(noise):
    ledger = Ledger(10)
    meter = Meter(ledger, is_stream=True)

    start = (
        b'data: {"type":"message_start","message":{"model":"m","usage":{"input_tokens":3,"output_tokens":1}}}'
    )
    delta = b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}'
    for byte in (noise + start + b"\n" + noise + delta + b"\n").splitlines(keepends=True):
        meter.feed(byte[:7])
        meter.feed(byte[7:])
    meter.close()

    assert (ledger.usage().input_tokens, ledger.usage().output_tokens, ledger.stop_reason) == (
        3,
        9,
        "end_turn",
    )
