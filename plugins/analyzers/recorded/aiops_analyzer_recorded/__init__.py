"""Answer known incidents from files, without any model."""

from aiops_analyzer_recorded.analyzer import RecordedAnalyzer, RecordedConfig

__all__ = ["RecordedAnalyzer", "RecordedConfig"]
