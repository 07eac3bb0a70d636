"""The bench of `openai_compatible` in the suite of models."""

from aiops_analyzer_openai_compatible import OpenaiCompatibleAnalyzer

from aiops_core.testing.chat_api import ChatApi
from aiops_core.testing.model_bench import ModelBench

SETTINGS = {"model": "qwen", "price": {"input": 1, "output": 2}}

BENCHES = [
    ModelBench("openai_compatible", OpenaiCompatibleAnalyzer, ChatApi, "/v1", SETTINGS),
    ModelBench(
        "openai_compatible, whole", OpenaiCompatibleAnalyzer, ChatApi, "/v1", {**SETTINGS, "stream": False}
    ),
]
