"""What people configure."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from aiops_analyzer_claude_cli.arguments import check_arguments
from aiops_core import Config, Duration


class ClaudeCliConfig(Config):
    """Settings of the ``claude_cli`` analyzer."""

    api_key: SecretStr
    """Key of the Claude API, as in ``${env:ANTHROPIC_API_KEY}``; the agent's process never has it."""
    model: str = "claude-opus-5-5"
    """Model to ask; ``claude-sonnet-5-5`` costs about half."""
    command: str = "claude"
    """Program to run: a name on PATH, or a path, relative to the pipeline file."""
    arguments: list[str] = Field(default=[])
    """More arguments of the program, as in ``[--effort, high]``; what could loosen the sandbox or the
    permissions is refused."""
    max_turns: int = Field(default=30, ge=1, le=200)
    """Most turns of one session, a turn being one answer of the model."""
    max_cost: float = Field(default=2.0, gt=0, le=1_000)
    """Most US dollars of one session; checked after each turn, so that the last one may exceed it."""
    timeout: Duration = timedelta(minutes=10)
    """Longest time of one session; then all its processes are ended."""
    base_url: str = ""
    """Address of the API, such as a gateway; the vendor's own when empty."""
    proxy: str = Field(default="", repr=False)
    """Address of an HTTP proxy; the environment's ``HTTPS_PROXY`` when empty."""
    language: Literal["en", "zh"] | None = None
    """Language of the analysis; the pipeline's language when not set."""

    @field_validator("arguments")
    @classmethod
    def _are_harmless(cls, value: list[str]) -> list[str]:
        check_arguments(value)
        return value
