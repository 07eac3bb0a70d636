from contextlib import contextmanager

from aiops_source_loki import LokiSource
from loki_api import Entry, LokiApi

from aiops_core.testing import Bench, contract
from aiops_core.testing.samples import NOON


@contextmanager
def loki(directory):
    first = int(NOON.timestamp() - 60) * 10**9
    entries = [Entry({"app": "shop"}, first + n * 10**9, f"m{n}", None, {}) for n in range(5)]
    with LokiApi(entries, clock=lambda: NOON) as api:
        yield Bench({"url": api.url, "query": '{app=~".+"}', "start": "24h"}, directory=directory)


test_contract = contract(LokiSource, loki)
