"""Explain incidents with any model behind a chat completions API."""

from aiops_analyzer_openai_compatible.analyzer import OpenaiCompatibleAnalyzer
from aiops_analyzer_openai_compatible.config import Endpoint, OpenaiCompatibleConfig, Price

__all__ = ["Endpoint", "OpenaiCompatibleAnalyzer", "OpenaiCompatibleConfig", "Price"]
