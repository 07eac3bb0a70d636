"""What plugin authors need in tests: real peers on loopback and small pipelines."""

from aiops_core.testing.pipeline import PipelineResult, run_pipeline

__all__ = ["PipelineResult", "run_pipeline"]
