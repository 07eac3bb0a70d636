"""What several calls took together."""

from __future__ import annotations

from collections.abc import Iterable

from aiops_core.records import Usage


def added(calls: Iterable[Usage]) -> Usage | None:
    """Return the usage of several calls together: the last model, and no cost if one is unknown."""
    used = list(calls)
    if not used:
        return None
    costs = [usage.cost for usage in used]
    return Usage(
        used[-1].model,
        sum(usage.input_tokens for usage in used),
        sum(usage.output_tokens for usage in used),
        sum(usage.cache_read_tokens for usage in used),
        sum(usage.cache_write_tokens for usage in used),
        round(sum(cost for cost in costs if cost is not None), 8) if None not in costs else None,
    )


def spent(used: Iterable[Usage]) -> str:
    """Return what calls took, in words for a log; "" for nothing."""
    total = added(used)
    if total is None:
        return ""
    cost = f", {total.cost:.4f} USD" if total.cost is not None else ""
    return f" [{total.input_tokens} tokens in, {total.output_tokens} out{cost}]"
