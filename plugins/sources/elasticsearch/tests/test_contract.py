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

        def send(source, unwanted):
            words = unwanted.decode("utf-8", "surrogateescape")
            time = "2026-05-04T11:59:06.000Z"
            for number, message in enumerate((words, [words], {"text": words}, None)):
                fields = {"@timestamp": time, "message": message, "level": words, "host": {"name": words}}
                api.documents.append(Document(f"junk-{number}", fields))

        settings = {"urls": api.url, "index": "logs-*", "start": "24h"}
        yield Bench(settings, directory=directory, send=send)


test_contract = contract(ElasticsearchSource, cluster)
