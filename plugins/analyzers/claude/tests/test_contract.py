from contextlib import contextmanager

from aiops_analyzer_claude import ClaudeAnalyzer

from aiops_core.testing import Bench, contract
from aiops_core.testing.messages_api import UNAUTHORIZED, MessagesApi, answer

KEY = "sk-ant-api03-canary-canary-canary"
GOOD = {"title": "no price", "summary": "s", "root_cause": "r", "cited": ["E1"], "confidence": 0.9}


@contextmanager
def model(directory):
    with MessagesApi(usual=answer(GOOD), key=KEY) as api:

        def spoil():
            api._otherwise = UNAUTHORIZED

        yield Bench({"api_key": KEY, "base_url": api.url}, directory=directory, spoil=spoil)


test_contract = contract(ClaudeAnalyzer, model)
