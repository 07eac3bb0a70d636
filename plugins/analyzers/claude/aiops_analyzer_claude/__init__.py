"""Explain incidents with Claude."""

from aiops_analyzer_claude.analyzer import ClaudeAnalyzer
from aiops_analyzer_claude.config import ClaudeConfig, Endpoint

__all__ = ["ClaudeAnalyzer", "ClaudeConfig", "Endpoint"]
