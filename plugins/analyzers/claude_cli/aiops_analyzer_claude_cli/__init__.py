"""Let the Claude Code CLI explain incidents and repair them in a checkout of its own."""

from aiops_analyzer_claude_cli.analyzer import ClaudeCliAnalyzer
from aiops_analyzer_claude_cli.config import ClaudeCliConfig

__all__ = ["ClaudeCliAnalyzer", "ClaudeCliConfig"]
