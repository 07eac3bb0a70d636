"""What people configure."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from aiops_core import Config, ModelConfig

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


class ClaudeConfig(ModelConfig):
    """Settings of the ``claude`` analyzer."""

    gone = dict.fromkeys(("temperature", "top_p", "top_k"), _GONE)

    api_key: SecretStr
    """Key of the Claude API, as in ``${env:ANTHROPIC_API_KEY}``."""
    model: str = "claude-opus-5-5"
    """Model to ask; ``claude-sonnet-5-5`` costs about half."""
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    """How hard the model tries, for models that know it; the model's own default when not set."""
    base_url: str = ""
    """Address of the API, such as a gateway; the vendor's own when empty."""
    fallbacks: list[Endpoint] = Field(default=[])
    """Where to ask next when an address stays out of reach or refuses the key, in this order."""
