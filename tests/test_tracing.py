"""Every step of an answer is a span, with what OpenTelemetry's conventions for models ask for, and no text."""

import pytest
from response_scene import claude, says, shop, trace
from response_scene import pipeline as pipeline_of

from aiops_core.testing.messages_api import MessagesApi
from aiops_core.testing.pipeline import run_pipeline

otel = pytest.importorskip("opentelemetry.sdk.trace")


@pytest.fixture
def spans():
    """Return the spans that ended, by name; a process has one provider, so it is kept."""
    from opentelemetry import trace as api
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    if not isinstance(api.get_tracer_provider(), otel.TracerProvider):
        api.set_tracer_provider(otel.TracerProvider())
    processor = SimpleSpanProcessor(exporter)
    api.get_tracer_provider().add_span_processor(processor)
    yield lambda: {one.name: one for one in exporter.get_finished_spans()}
    processor.shutdown()


def test_each_step_is_a_span_and_a_models_call_says_its_tokens(tmp_path, spans):
    repository = shop(tmp_path / "repository")
    with MessagesApi(usual=says()) as api:
        text = pipeline_of(repository, analyzers=claude(api))
        done = run_pipeline(
            text, {"shop.log": trace()}, tmp_path / "work", environment={"KEY": "sk-dummy-0000"}
        )

    found = spans()
    assert done.error == ""
    assert {"aiops evidence", "aiops analyze", "chat claude", "aiops repair", "aiops notify"} <= set(found)
    chat = found["chat claude"]
    assert chat.parent.span_id == found["aiops analyze"].context.span_id
    assert (chat.attributes["gen_ai.operation.name"], chat.attributes["gen_ai.provider.name"]) == (
        "chat",
        "claude",
    )
    assert chat.attributes["gen_ai.usage.input_tokens"] > 0
    assert chat.attributes["gen_ai.usage.output_tokens"] > 0
    assert found["aiops analyze"].attributes["aiops.pipeline"] == "shop"
    written = str([one.attributes for one in found.values()])
    assert "KeyError" not in written
    assert "sk-dummy" not in written


def test_a_step_that_fails_is_a_span_that_failed_without_the_errors_words(tmp_path, spans):
    broken = "from aiops_core import Analyzer\n\nclass Broken(Analyzer):\n    def analyze(self, incident, evidence):\n        raise ValueError('pa55word')\n"
    text = pipeline_of(analyzers="      - ./broken.py:Broken")

    run_pipeline(text, {"shop.log": trace(), "broken.py": broken}, tmp_path)

    chat = spans()["chat broken"]
    assert chat.attributes["error.type"] == "ValueError"
    assert chat.status.status_code.name == "ERROR"
    assert "pa55word" not in chat.to_json()
