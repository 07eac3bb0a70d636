"""Every analyzer that asks a model on the same bench; one of your own passes the suite with a bench of its own."""

import importlib.util
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from aiops_core.errors import AiopsError
from aiops_core.testing.messages_api import OVERLOADED
from aiops_core.testing.model_bench import EVIDENCE, INCIDENT, KEY, Purse

PLUGINS = Path(__file__).parents[2] / "plugins" / "analyzers"


def benches():
    found = []
    for path in sorted(PLUGINS.glob("*/tests/*_model_bench.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        found += module.BENCHES
    return found


BENCHES = benches()


def pytest_generate_tests(metafunc):
    if "bench" in metafunc.fixturenames:
        metafunc.parametrize("bench", BENCHES, ids=str)
    if "plain" in metafunc.fixturenames:
        metafunc.parametrize("plain", [bench for bench in BENCHES if not bench.is_agent], ids=str)


class Told:
    """What came of one question: an analysis or an error, the requests, and the budget's account."""

    def __init__(self, result, requests, purse):
        self.result, self.requests, self.purse = result, requests, purse

    @property
    def kind(self):
        return type(self.result).__name__


@pytest.fixture(scope="session")
def put():
    """Put the incident to an analyzer; an error is returned."""
    return _put


def _put(bench, analyzer, purse):
    with bench.room(analyzer, purse) if bench.room else nullcontext():
        worker = analyzer.context
        with nullcontext() if bench.room else worker.exploring(None, None, purse):
            try:
                return analyzer.analyze(INCIDENT, EVIDENCE)
            except AiopsError as error:
                return error


@pytest.fixture
def ask(caplog, tmp_path, monkeypatch):
    """Put the incident to an analyzer whose API follows a script."""
    caplog.set_level("DEBUG")
    monkeypatch.chdir(tmp_path)

    def ask(bench, *replies, usual=OVERLOADED, purse=None, times=1, **settings):
        purse = purse or Purse()
        with bench.api(list(replies), usual=usual, key=KEY) as api:
            analyzer = bench.make(api.url, **settings)
            for _ in range(times):
                result = _put(bench, analyzer, purse)
            requests = list(api.requests)
        assert KEY not in caplog.text and KEY not in repr(analyzer.config) and KEY not in str(result)
        assert all(KEY.encode() not in request.body for request in requests)
        return Told(result, requests, purse)

    return ask
