"""What the API is asked, and what becomes of its answer."""

import json

import pytest
from aiops_analyzer_claude import ClaudeConfig, calls
from claude_scene import GOOD, KEY, Shelf
from pydantic import ValidationError

from aiops_core import (
    Context,
    Question,
    Target,
    Usage,
    replace,
)
from aiops_core.testing.messages_api import (
    Message,
    answer,
)


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


def test_a_model_without_a_price_has_an_unknown_cost(ask):
    analysis, _ = ask(answer(GOOD), model="claude-tomorrow")

    assert analysis.usage.cost is None
    assert analysis.usage.input_tokens == 1000


def test_a_conversation_that_look_ups_make_longer_is_cached_by_the_vendors_api():
    question = Question("system", [{"role": "user", "content": "x"}], 100, 1.0, False, tools=Shelf.tools)
    vendor, gateway = Target("", KEY, "m"), Target("https://gateway.example", KEY, "m")

    assert calls._arguments(vendor, question)["cache_control"] == {"type": "ephemeral"}
    assert "cache_control" not in calls._arguments(gateway, question)
    assert "cache_control" not in calls._arguments(vendor, replace(question, tools=()))


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
