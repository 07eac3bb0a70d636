"""Spans of OpenTelemetry, where its packages are installed and a collector is named; else nothing at all."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_SCOPE = "aiops"


class Noted(Protocol):
    """A span that is open."""

    def set_attribute(self, key: str, value: Any) -> object: ...  # Any: text, number or yes and no


class _Nothing:
    def set_attribute(self, key: str, value: Any) -> None:
        """Keep nothing."""


def start_tracing(logger: logging.Logger) -> None:
    """Send spans to the collector that the standard variables name; say so when a package is missing."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        logger.warning(
            "a collector of traces is named, but nothing sends them: pip install 'aiops-core[otel]'"
        )
        return
    provider = TracerProvider(resource=Resource.create({"service.name": "aiops-core"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


@contextmanager
def span(name: str, attributes: Mapping[str, Any]) -> Iterator[Noted]:  # Any: as above
    """Make a span of what happens until the end of the block; an error in it is noted by its class alone."""
    try:
        from opentelemetry import trace
        from opentelemetry.trace import Status, StatusCode
    except ImportError:
        yield _Nothing()
        return
    tracer = trace.get_tracer(_SCOPE)
    with tracer.start_as_current_span(
        name, attributes=dict(attributes), record_exception=False, set_status_on_exception=False
    ) as opened:
        try:
            yield opened
        except BaseException as error:
            opened.set_attribute("error.type", type(error).__name__)
            opened.set_status(Status(StatusCode.ERROR))
            raise
