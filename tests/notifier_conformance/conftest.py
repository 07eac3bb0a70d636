"""Every notifier that posts on the same bench; one of your own passes the suite with a bench of its own."""

import importlib.util
import sys
from pathlib import Path

import pytest

from aiops_core.testing.chat_bench import ChatBench
from aiops_core.testing.http_peer import HttpPeer

PLUGINS = Path(__file__).parents[2] / "plugins" / "notifiers"


def benches() -> list[ChatBench]:
    found = []
    for path in sorted(PLUGINS.glob("*/tests/*_bench.py")):
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
    if "refused" in metafunc.fixturenames:
        told = [(bench, reply) for bench in BENCHES for reply in bench.refused]
        metafunc.parametrize(("of", "refused"), told, ids=lambda one: str(one)[:40])
    if "busy" in metafunc.fixturenames:
        told = [(bench, reply) for bench in BENCHES for reply in bench.busy]
        metafunc.parametrize(("of", "busy"), told, ids=lambda one: str(one)[:40])


@pytest.fixture(scope="session")
def tls_peer():
    with HttpPeer(tls=True) as peer:
        yield peer


@pytest.fixture(autouse=True)
def own_directory(tmp_path, monkeypatch):
    """Let what a notifier keeps stay here: the scratch of a context is relative."""
    monkeypatch.chdir(tmp_path)
