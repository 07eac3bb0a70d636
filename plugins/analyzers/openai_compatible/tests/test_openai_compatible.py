"""What is particular to chat completions APIs; the rest is in the suite of models."""

import json

import pytest
from aiops_analyzer_openai_compatible import OpenaiCompatibleAnalyzer, OpenaiCompatibleConfig
from aiops_analyzer_openai_compatible.answers import NoCompletion, collected
from pydantic import ValidationError

from aiops_core import Context, Evidence, NoAnswer, Retry, Tool, Usage, UserError
from aiops_core.testing.chat_api import ChatApi
from aiops_core.testing.http_peer import HttpPeer, Reply
from aiops_core.testing.messages_api import Failure, Message, ToolUse, answer, looks_up
from aiops_core.testing.model_bench import ANSWER, EVIDENCE, INCIDENT, Purse

GOOD = answer(ANSWER)


def make(api, **settings):
    values = {"base_url": f"{api.url}/v1", "model": "qwen", **settings}
    analyzer = OpenaiCompatibleAnalyzer(OpenaiCompatibleConfig.model_validate(values), Context())
    analyzer.delays = (0.001,) * 4
    return analyzer


@pytest.fixture(params=[True, False], ids=["streamed", "whole"])
def stream(request):
    return request.param


def test_the_question_goes_to_chat_completions_without_a_key_where_none_is_set(stream):
    with ChatApi([GOOD]) as api:
        make(api, stream=stream).analyze(INCIDENT, EVIDENCE)
        (request,) = api.requests

    body = json.loads(request.body)
    assert (request.path, body["model"], body["max_tokens"]) == ("/v1/chat/completions", "qwen", 4096)
    assert "authorization" not in request.headers
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert "KeyError" in body["messages"][1]["content"] and "KeyError" not in body["messages"][0]["content"]
    assert body["response_format"]["json_schema"]["schema"]["properties"]["confidence"]
    assert body["stream"] is stream


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        (["json_schema", "json_object"], ["json_schema", "json_schema"]),
        (["json_object"], ["json_schema", "json_object", "json_object"]),
        ([], ["json_schema", "json_object", None, None]),
    ],
)
def test_json_is_asked_for_as_strictly_as_the_server_knows_and_that_is_remembered(known, asked):
    with ChatApi(usual=GOOD, shapes=known) as api:
        analyzer = make(api)
        for _ in range(2):
            assert analyzer.analyze(INCIDENT, EVIDENCE).title == ANSWER["title"]
        shapes = [body.get("response_format", {}).get("type") for body in api.calls]

    assert shapes == asked


def test_a_way_that_people_chose_is_not_changed():
    with ChatApi(usual=GOOD, shapes=["json_object"]) as api:
        with pytest.raises(UserError, match="the request was refused, HTTP 400: response_format"):
            make(api, structured="json_schema").analyze(INCIDENT, EVIDENCE)

        assert make(api, structured="json_object").analyze(INCIDENT, EVIDENCE).confidence == 0.9
        assert len(api.calls) == 2


def test_what_a_model_thinks_aloud_is_no_part_of_its_answer(stream):
    thinking = 'First {"title": "a guess"}\nand then </tag>'
    with ChatApi([Message(json.dumps(ANSWER), thinking=thinking)]) as api:
        analysis = make(api, stream=stream).analyze(INCIDENT, EVIDENCE)

    assert analysis.title == ANSWER["title"]


def test_tokens_are_priced_as_configured_and_cached_ones_are_told_apart(stream):
    price = {"input": 1, "output": 2}
    with ChatApi([Message(json.dumps(ANSWER), cache_read_tokens=500)]) as api:
        analysis = make(api, stream=stream, price=price).analyze(INCIDENT, EVIDENCE)

    assert analysis.usage == Usage("qwen", 1_000, 200, 500, 0, cost=0.0019)


def test_without_a_price_the_cost_is_unknown(stream):
    with ChatApi([GOOD]) as api:
        assert make(api, stream=stream).analyze(INCIDENT, EVIDENCE).usage.cost is None


def test_a_server_that_does_not_count_is_charged_the_most(stream):
    purse = Purse()
    with ChatApi([Message(json.dumps(ANSWER), input_tokens=0, output_tokens=0)]) as api:
        analyzer = make(api, stream=stream)
        with analyzer.context.exploring(None, None, purse):
            analyzer.analyze(INCIDENT, EVIDENCE)

    assert (len(purse.asked), purse.settled) == (1, [])


class Shelf:
    """An explorer with one file."""

    tools = (Tool("read_file", "Show a file.", {"type": "object", "properties": {}}),)

    def __init__(self):
        self.left, self.asked, self.found = 3, [], []

    def call(self, name, arguments):
        self.left -= 1
        self.asked.append((name, arguments))
        self.found.append(Evidence("source", "b.py", "y = 1", id=f"X{len(self.asked)}"))
        return f"EVIDENCE X{len(self.asked)}"


def test_the_model_looks_things_up_where_it_may(stream):
    shelf = Shelf()
    asks = looks_up(
        ToolUse("read_file", {"path": "b.py"}, "one"), ToolUse("read_file", {"path": "c.py"}, "two")
    )
    with ChatApi([asks, answer({**ANSWER, "cited": ["X2"]})]) as api:
        analyzer = make(api, explore=True, stream=stream)
        with analyzer.context.exploring(shelf):
            analysis = analyzer.analyze(INCIDENT, EVIDENCE)
        first, second = api.calls

    assert shelf.asked == [("read_file", {"path": "b.py"}), ("read_file", {"path": "c.py"})]
    assert analysis.cited == ("X2",)
    assert first["tools"][0]["function"]["name"] == "read_file"
    said, *shown = second["messages"][2:]
    assert [call["id"] for call in said["tool_calls"]] == ["one", "two"]
    assert [(one["role"], one["tool_call_id"], one["content"]) for one in shown] == [
        ("tool", "one", "EVIDENCE X1"),
        ("tool", "two", "EVIDENCE X2"),
    ]


def test_it_looks_up_nothing_unless_it_is_told_to():
    with ChatApi([GOOD]) as api:
        analyzer = make(api)
        with analyzer.context.exploring(Shelf()):
            analyzer.analyze(INCIDENT, EVIDENCE)

        assert "tools" not in api.calls[0]


def test_a_key_goes_to_no_other_address_than_its_own():
    with ChatApi(usual=Failure(503)) as first, ChatApi([GOOD]) as second:
        analyzer = make(first, fallbacks=[{"base_url": f"{second.url}/v1"}])
        config = analyzer.config.model_copy(update={"api_key": _secret("the-first-key")})
        analyzer.config = config
        analyzer.analyze(INCIDENT, EVIDENCE)

        assert first.requests[0].headers["authorization"] == "Bearer the-first-key"
        assert "authorization" not in second.requests[0].headers


def test_a_redirect_is_not_followed():
    with HttpPeer() as other:
        moved = Reply(307, b"", {"Location": f"{other.url}/v1/chat/completions"})
        with ChatApi(usual=moved) as api, pytest.raises(UserError, match="HTTP 307"):
            make(api).analyze(INCIDENT, EVIDENCE)

        assert other.requests == []


@pytest.mark.parametrize(
    "failure",
    [
        Failure(400, "invalid_request_error", "This model's maximum context length is 4096 tokens."),
        Failure(413, "too_large", "request entity too large"),
    ],
)
def test_too_much_evidence_is_shortened_once(failure):
    long = [Evidence("log", "log", "x" * 9_000, id="E1")]
    with ChatApi([failure, GOOD]) as api:
        analysis = make(api).analyze(INCIDENT, long)
        sizes = [len(body["messages"][1]["content"]) for body in api.calls]

    assert analysis.title == ANSWER["title"]
    assert sizes[0] > 9_000 > 3_000 > sizes[1]


def test_a_failure_in_mid_stream_is_tried_again():
    with ChatApi([Failure(200, message="out of memory", in_stream=True), GOOD]) as api:
        assert make(api).analyze(INCIDENT, EVIDENCE).title == ANSWER["title"]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"choices": []}', b'{"choices": null}', b"[1]", b'"x"'])
def test_what_is_no_answer_of_the_api_is_tried_again(body):
    with ChatApi([Reply(200, body, {"Content-Type": "application/json"}), GOOD]) as api:
        assert make(api, stream=False).analyze(INCIDENT, EVIDENCE).title == ANSWER["title"]


@pytest.mark.parametrize(
    "event",
    [
        b"data: nonsense",
        b'data: {"choices": 5}',
        b'data: {"choices": [{"delta": 7}]}',
        b"data: [3]",
        b": ping",
    ],
)
def test_a_strange_stream_gives_nothing_and_breaks_nothing(event):
    try:
        said = collected([event + b"\n\n"])
    except NoCompletion:
        return

    assert (said.text, said.stop_reason) == ("", None)


def test_an_unknown_stop_reason_gives_no_answer(stream):
    tired = Message(json.dumps(ANSWER), stop_reason="tired")
    with ChatApi([tired]) as api, pytest.raises(NoAnswer, match="the unknown reason 'tired'"):
        make(api, stream=stream).analyze(INCIDENT, EVIDENCE)


def test_an_address_nobody_listens_at_is_tried_again_later():
    with ChatApi() as api:
        pass

    with pytest.raises(Retry, match="openai_compatible cannot be reached: the connection failed"):
        make(api).analyze(INCIDENT, EVIDENCE)


@pytest.mark.parametrize("missing", ["base_url", "model"])
def test_address_and_model_have_to_be_named(missing):
    values = {"base_url": "http://localhost:11434/v1", "model": "qwen"}
    values.pop(missing)

    with pytest.raises(ValidationError, match=missing):
        OpenaiCompatibleConfig.model_validate(values)


def _secret(value):
    from pydantic import SecretStr

    return SecretStr(value)


def test_a_probe_looks_for_the_model_among_those_the_server_lists_and_asks_nothing():
    with ChatApi(models=["llama3:8b", "qwen:latest"]) as api:
        found = make(api).probe()
        with pytest.raises(UserError) as lacking:
            make(api, model="mistral").probe()
        paths = [request.path for request in api.requests]

    assert found == "qwen is there, the key is taken"
    assert str(lacking.value) == (
        "openai_compatible: model: mistral is not among the models there (llama3:8b, qwen:latest). Correct it."
    )
    assert paths == ["/v1/models"] * 2


def test_a_probe_says_that_the_key_is_refused_and_that_nobody_is_there():
    with (
        ChatApi(key="another", models=["qwen"]) as api,
        pytest.raises(UserError, match="api_key: the key was refused"),
    ):
        make(api).probe()
    with pytest.raises(Retry, match="cannot be reached"):
        make(api).probe()
