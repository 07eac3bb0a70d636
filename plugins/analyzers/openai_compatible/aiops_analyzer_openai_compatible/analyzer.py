"""Ask a model behind a chat completions API why an incident happened and how to repair it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from aiops_analyzer_openai_compatible.calls import ShapeUnknown, call, connect, look_up
from aiops_analyzer_openai_compatible.config import OpenaiCompatibleConfig, Shape
from aiops_core import Ask, ModelAnalyzer, Question, Said, Target, Usage, replace

_SHAPES: tuple[Shape, ...] = ("json_schema", "json_object", "text")


class OpenaiCompatibleAnalyzer(ModelAnalyzer[OpenaiCompatibleConfig]):
    """Explain incidents with a model behind a chat completions API: Ollama, vLLM, gateways."""

    config: OpenaiCompatibleConfig
    service = "openai_compatible"

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # Any: passed on as they came
        super().__init__(*args, **kwargs)
        self._shapes: dict[str, Shape] = {}
        """What each address turned out to know."""

    def targets(self) -> Iterator[Target]:
        config = self.config
        key = config.api_key.get_secret_value() if config.api_key else ""
        yield Target(config.base_url, key, config.model, config.proxy)
        for number, endpoint in enumerate(config.fallbacks):
            own = endpoint.api_key.get_secret_value() if endpoint.api_key else ""
            is_same = endpoint.base_url in ("", config.base_url)
            yield Target(
                endpoint.base_url or config.base_url,
                own or (key if is_same else ""),
                endpoint.model or config.model,
                config.proxy,
                key_setting="api_key" if is_same and not own else f"fallbacks[{number}].api_key",
                model_setting=f"fallbacks[{number}].model" if endpoint.model else "model",
            )

    def look_up(self, target: Target, timeout: float) -> bool:
        return look_up(target, timeout)

    @contextmanager
    def calling(self, target: Target) -> Iterator[Ask]:
        with connect(target, self.config.timeout.total_seconds()) as client:
            yield partial(self._in_known_shape, partial(call, client, target), target)

    def _in_known_shape(self, ask: Any, target: Target, question: Question) -> Said:  # Any: call, bound
        """Ask for JSON as strictly as the server knows how; what it does not know it refuses for free."""
        first = "json_schema" if self.config.structured == "auto" else self.config.structured
        shape: Shape = self._shapes.get(target.base_url, first)
        while True:
            try:
                said: Said = ask(question, shape if question.is_enforced else "text")
                return replace(said, usage=self.priced(said.usage))
            except ShapeUnknown as problem:
                if self.config.structured != "auto" or shape == "text":
                    raise problem.failure from None
                shape = _SHAPES[_SHAPES.index(shape) + 1]
                self._shapes[target.base_url] = shape
                self.context.logger.info("%s: asked for JSON as %s from now on", target.base_url, shape)

    def looked_up(
        self, said: Said, results: Sequence[str]
    ) -> list[Mapping[str, Any]]:  # Any: as the API has it
        shown = [
            {"role": "tool", "tool_call_id": one.id, "content": result}
            for one, result in zip(said.calls, results, strict=True)
        ]
        return [*said.content, *shown]

    def priced(self, usage: Usage) -> Usage:
        price = self.config.price
        if price is None:
            return usage
        read = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
        cost = (read * price.input + usage.output_tokens * price.output) / 1_000_000
        return replace(usage, cost=round(cost, 8))
