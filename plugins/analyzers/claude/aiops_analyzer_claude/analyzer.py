"""Ask Claude why an incident happened and how to repair it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from aiops_analyzer_claude.calls import call, connect, look_up
from aiops_analyzer_claude.config import ClaudeConfig
from aiops_analyzer_claude.prices import priced
from aiops_core import Ask, ModelAnalyzer, Said, Target, Usage


class ClaudeAnalyzer(ModelAnalyzer[ClaudeConfig]):
    """Explain incidents with Claude, through the Messages API."""

    config: ClaudeConfig
    service = "claude"

    def targets(self) -> Iterator[Target]:
        config = self.config
        key = config.api_key.get_secret_value()
        yield Target(config.base_url, key, config.model, config.proxy)
        for number, endpoint in enumerate(config.fallbacks):
            own = endpoint.api_key.get_secret_value() if endpoint.api_key else ""
            yield Target(
                endpoint.base_url,
                own or key,
                endpoint.model or config.model,
                config.proxy,
                key_setting=f"fallbacks[{number}].api_key" if own else "api_key",
                model_setting=f"fallbacks[{number}].model" if endpoint.model else "model",
            )

    @contextmanager
    def calling(self, target: Target) -> Iterator[Ask]:
        with connect(target, self.config.timeout.total_seconds()) as client:
            yield partial(call, client, target)

    def look_up(self, target: Target, timeout: float) -> bool:
        return look_up(target, timeout)

    def looked_up(
        self, said: Said, results: Sequence[str]
    ) -> list[Mapping[str, Any]]:  # Any: as the API has it
        shown = [
            {"type": "tool_result", "tool_use_id": one.id, "content": result}
            for one, result in zip(said.calls, results, strict=True)
        ]
        return [{"role": "assistant", "content": list(said.content)}, {"role": "user", "content": shown}]

    def priced(self, usage: Usage) -> Usage:
        return priced(usage)

    def effort(self) -> str | None:
        return self.config.effort
