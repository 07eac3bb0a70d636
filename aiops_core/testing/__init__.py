"""What plugin authors need in tests: the contract, real peers on loopback and small pipelines."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiops_core.testing.contracts import Bench, contract
    from aiops_core.testing.http_peer import HttpPeer, Reply, Request
    from aiops_core.testing.messages_api import answer
    from aiops_core.testing.pipeline import PipelineResult, run_pipeline
    from aiops_core.testing.source_run import SourceRun

__all__ = [
    "Bench",
    "HttpPeer",
    "PipelineResult",
    "Reply",
    "Request",
    "SourceRun",
    "answer",
    "contract",
    "run_pipeline",
]

_WHERE = {
    "Bench": "contracts.bench",
    "HttpPeer": "http_peer",
    "PipelineResult": "pipeline",
    "Reply": "http_peer",
    "Request": "http_peer",
    "SourceRun": "source_run",
    "answer": "messages_api",
    "contract": "contracts.checks",
    "run_pipeline": "pipeline",
}


def __getattr__(name: str) -> Any:  # Any: a module's attributes are of any type
    if name not in _WHERE:
        raise AttributeError(f"module 'aiops_core.testing' has no attribute {name!r}")
    return getattr(import_module(f"aiops_core.testing.{_WHERE[name]}"), name)
