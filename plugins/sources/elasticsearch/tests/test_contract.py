from contextlib import contextmanager

from aiops_source_elasticsearch import ElasticsearchSource
from elasticsearch_api import Document, ElasticsearchApi

from aiops_core.testing import Bench, contract
from aiops_core.testing.samples import NOON


@contextmanager
def cluster(directory):
    found = [
        Document(f"id-{n}", {"@timestamp": f"2026-05-04T11:59:0{n}.000Z", "message": f"m{n}"})
        for n in range(5)
    ]
    with ElasticsearchApi(found, clock=lambda: NOON) as api:
        yield Bench({"urls": api.url, "index": "logs-*", "start": "24h"}, directory=directory)


test_contract = contract(ElasticsearchSource, cluster)
