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

        def send(source, unwanted):
            line = unwanted.decode("utf-8", "surrogateescape")
            labels = {"app": "shop", "level": line[:99]}
            api.entries.insert(2, Entry(labels, first + 10**9, line, None, {"trace": line}))

        settings = {"url": api.url, "query": '{app=~".+"}', "start": "24h"}
        yield Bench(settings, directory=directory, send=send)


test_contract = contract(LokiSource, loki)
