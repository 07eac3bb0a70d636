"""What people configure."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, SecretStr

from aiops_core import Config, Duration

_GONE = (
    "the Claude API has no sampling settings any more and would refuse it. "
    "Remove it; `effort` says how hard the model tries"
)


class Endpoint(Config):
    """Another place to ask when the one before it cannot answer."""

    base_url: str = ""
    """Address of the API, such as a gateway; the vendor's own when empty."""
    api_key: SecretStr | None = None
    """Key for this address; the first key when it is not set."""
    model: str = ""
    """Model to ask there; the first one's when empty."""


class ClaudeConfig(Config):
    """Settings of the ``claude`` analyzer."""

    gone = dict.fromkeys(("temperature", "top_p", "top_k"), _GONE)

    api_key: SecretStr
    """Key of the Claude API, as in ``${env:ANTHROPIC_API_KEY}``."""
    model: str = "claude-opus-5-5"
    """Model to ask; ``claude-sonnet-5-5`` costs about half."""
    max_tokens: int = Field(default=4096, ge=256, le=64_000)
    """Most tokens of an answer, the model's thinking included; doubled once for an answer it cut off."""
    timeout: Duration = timedelta(seconds=60)
    """Longest silence while waiting for an answer; a streamed answer may take ten times as long in all."""
    stream: bool = True
    """Whether an answer comes piece by piece: long ones then outlast the timeout."""
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    """How hard the model tries, for models that know it; the model's own default when not set."""
    explore: bool = True
    """Whether the model may look things up in the repository; `policy.max_lookups` says how often."""
    edits: Literal["json", "code_blocks"] = "json"
    """How edits are written: in the JSON object whose shape the API enforces, or as code blocks after it,
    without that enforcement, for gateways that do not know it."""
    base_url: str = ""
    """Address of the API, such as a gateway; the vendor's own when empty."""
    proxy: str = Field(default="", repr=False)
    """Address of an HTTP proxy; the environment's ``HTTPS_PROXY`` when empty."""
    fallbacks: list[Endpoint] = Field(default_factory=list)
    """Where to ask next when an address stays out of reach or refuses the key, in this order."""
    language: Literal["en", "zh"] | None = None
    """Language of the analysis; the pipeline's language when not set."""
