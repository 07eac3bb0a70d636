"""Looking things up before an answer, with what it is given."""

import pytest
from claude_scene import EVIDENCE, GOOD, INCIDENT, KEY, Shelf, make

from aiops_core import (
    NoAnswer,
)
from aiops_core.testing.messages_api import (
    OVERLOADED,
    MessagesApi,
    ToolUse,
    answer,
    looks_up,
)


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
