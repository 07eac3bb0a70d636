"""What plugin authors need in tests: the contract, real peers on loopback and small pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiops_core.importing import exported

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
    "Bench": "testing.contracts.bench",
    "HttpPeer": "testing.http_peer",
    "PipelineResult": "testing.pipeline",
    "Reply": "testing.http_peer",
    "Request": "testing.http_peer",
    "SourceRun": "testing.source_run",
    "answer": "testing.messages_api",
    "contract": "testing.contracts.checks",
    "run_pipeline": "testing.pipeline",
}


def __getattr__(name: str) -> Any:  # Any: a module's attributes are of any type
    return exported(__name__, name, _WHERE)
