"""What people configure."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field, SecretStr

from aiops_core import Config, ModelConfig

Shape: TypeAlias = Literal["json_schema", "json_object", "text"]


class Endpoint(Config):
    """Another place to ask when the one before it cannot answer."""

    base_url: str = ""
    """Address of the API, with its version; the first one's when empty."""
    api_key: SecretStr | None = None
    """Key for this address; the first key where the address is the first one's too, else none."""
    model: str = ""
    """Model to ask there; the first one's when empty."""


class Price(Config):
    """What tokens cost, in US dollars per million."""

    input: float = Field(ge=0)
    """Price of what the model reads."""
    output: float = Field(ge=0)
    """Price of what the model writes."""


class OpenaiCompatibleConfig(ModelConfig):
    """Settings of the ``openai_compatible`` analyzer."""

    base_url: str = Field(min_length=1)
    """Address of the API, with its version, as in ``http://localhost:11434/v1`` for Ollama."""
    model: str = Field(min_length=1)
    """Model to ask, as the server names it."""
    api_key: SecretStr | None = None
    """Key of the API; none is sent when not set."""
    structured: Literal["auto", "json_schema", "json_object", "text"] = "auto"
    """How the server is asked for JSON: by its schema, as any JSON object, or in words alone; ``auto`` takes the
    first of these that the server knows."""
    explore: bool = False
    """Whether the model may look things up in the repository; needs a server and a model that call tools."""
    price: Price | None = None
    """Price of tokens; where it is not set budgets count tokens and calls only. 0 for a machine of your own."""
    fallbacks: list[Endpoint] = Field(default=[])
    """Where to ask next when an address stays out of reach or refuses the key, in this order."""
