"""The bench of `claude` in the suite of models."""

from aiops_analyzer_claude import ClaudeAnalyzer

from aiops_core.testing.messages_api import MessagesApi
from aiops_core.testing.model_bench import ModelBench

BENCHES = [
    ModelBench("claude", ClaudeAnalyzer, MessagesApi),
    ModelBench("claude, whole", ClaudeAnalyzer, MessagesApi, settings={"stream": False}),
]
