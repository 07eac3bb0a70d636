"""What calls cost, from the dated table beside this file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from aiops_core import Usage

_SNAPSHOT = re.compile(r"(?:-\d{8}|\[1m\])$")


def priced(usage: Usage) -> Usage:
    """Return the usage of one call with its cost in US dollars, None for an unknown model."""
    table = _table().get(usage.model) or _table().get(_SNAPSHOT.sub("", usage.model))
    if table is None:
        return usage
    prompt = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    price = table["long"] if prompt > table.get("long_from", prompt) else table
    cost = (
        usage.input_tokens * price["input"]
        + usage.output_tokens * price["output"]
        + usage.cache_read_tokens * price["read"]
        + usage.cache_write_tokens * price["write"]
    ) / 1_000_000
    return Usage(
        usage.model,
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        round(cost, 8),
    )


@cache
def _table() -> Mapping[str, Mapping[str, Any]]:  # Any: numbers, and one nested table
    document = yaml.safe_load((files(__package__) / "prices.yaml").read_text("utf-8"))
    models: Mapping[str, Mapping[str, Any]] = document["models"]
    return models
