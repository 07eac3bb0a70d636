"""A whole pipeline over a cluster: events, logins, certificates."""

import base64
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from aiops_source_elasticsearch import ElasticsearchConfig, ElasticsearchSource
from elasticsearch_api import Document, ElasticsearchApi

from aiops_core import Context
from aiops_core.testing import run_pipeline

TRACE = """\
Traceback (most recent call last):
  File "/app/shop/cart.py", line 7, in total
    return price * count
ValueError: no price"""
PIPELINE = """\
pipelines:
  shop:
    sources: [{uses: elasticsearch, with: {urls: URL, index: "logs-*", SETTINGS}}]
    detectors: [python]
"""


def document(number, message, *, container="c1", **more):
    now = datetime.now(UTC) - timedelta(seconds=60) + timedelta(milliseconds=number)
    time = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    source = {
        "@timestamp": time,
        "message": message,
        "service": {"name": "shop"},
        "host": {"name": "web1"},
        "container": {"id": container},
        **more,
    }
    return Document(f"d{number}", source)


def run(api, directory, settings="page_size: 3", **environment):
    text = PIPELINE.replace("URL", api.url).replace("SETTINGS", settings)
    return run_pipeline(text, {}, directory, environment=environment)


def test_a_document_with_a_trace_is_one_event(tmp_path):
    documents = [document(n, "fine") for n in range(5)]
    documents.append(document(5, "checkout failed", error={"stack_trace": TRACE}, log={"level": "error"}))
    with ElasticsearchApi(documents) as api:
        result = run(api, tmp_path)

    (event,) = result.events
    assert (event.type, event.message, event.headline) == ("ValueError", "no price", "checkout failed")
    assert (event.attributes["service"], event.attributes["host"]) == ("shop", "web1")
    assert (
        event.occurred_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        == (documents[5].source["@timestamp"])
    )


def test_a_trace_indexed_line_by_line_is_one_event_whoever_writes_in_between(tmp_path):
    documents = []
    for line in TRACE.splitlines():
        documents.append(document(len(documents), line))
        documents.append(document(len(documents), "GET / 200", container="c2"))
    with ElasticsearchApi(documents) as api:
        result = run(api, tmp_path)

    (event,) = result.events
    assert (event.type, event.message) == ("ValueError", "no price")
    assert [frame.line for frame in event.frames] == [7]


def test_a_second_run_counts_nothing_twice(tmp_path):
    documents = [document(n, "failed", error={"stack_trace": TRACE}) for n in range(7)]
    with ElasticsearchApi(documents[:4]) as api:
        first = run(api, tmp_path)
        api.documents = documents
        second = run(api, tmp_path)

    assert [incident.count for incident in first.incidents] == [4]
    assert [incident.count for incident in second.incidents] == [7]


@pytest.mark.parametrize(
    ("settings", "login"),
    [
        ("api_key: '${env:SECRET}'", "ApiKey c2hvcDpzM2NyZXQ="),
        (
            "user: shop, password: '${env:SECRET}'",
            "Basic " + base64.b64encode(b"shop:c2hvcDpzM2NyZXQ=").decode(),
        ),
    ],
)
def test_a_login_is_sent(tmp_path, settings, login):
    with ElasticsearchApi([document(1, "x", error={"stack_trace": TRACE})], login=login) as api:
        result = run(api, tmp_path, settings, SECRET="c2hvcDpzM2NyZXQ=")

    assert len(result.events) == 1
    assert "c2hvcDpzM2NyZXQ=" not in repr(result)


def test_a_wrong_login_is_told_once_and_without_the_secret(tmp_path):
    with ElasticsearchApi(login="ApiKey right") as api:
        result = run(api, tmp_path, "api_key: '${env:SECRET}'", SECRET="c2hvcDpzM2NyZXQ=")
        again = run(api, tmp_path, "api_key: '${env:SECRET}'", SECRET="c2hvcDpzM2NyZXQ=")

    where = api.url.removeprefix("http://")
    (fault,) = result.faults
    assert (
        f"{where}: the login is refused (401 unable to authenticate user). "
        "Check 'api_key', or 'user' and 'password'" in fault.text
    )
    assert len(result.fault_reports) == 1
    assert (again.fault_reports, again.error) == ((), "")
    assert "c2hvcDpzM2NyZXQ=" not in repr(result) + repr(again)


def secure(authority, documents):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return ElasticsearchApi(documents).tls(context)


def test_a_certificate_of_a_named_authority_is_trusted(tmp_path, authority):
    with secure(authority, [document(1, "x", error={"stack_trace": TRACE})]) as api:
        text = PIPELINE.replace("URL", api.url.replace("http:", "https:")).replace(
            "SETTINGS", "ca_file: ca.pem"
        )
        result = run_pipeline(text, {}, tmp_path)

    assert len(result.events) == 1


def test_a_certificate_of_anybody_else_is_told(tmp_path, authority):
    with secure(authority, []) as api:
        text = PIPELINE.replace("URL", api.url.replace("http:", "https:")).replace("SETTINGS", "page_size: 3")
        result = run_pipeline(text, {}, tmp_path)

    (fault,) = result.faults
    assert "the certificate cannot be trusted (" in fault.text
    assert "Name its authority in 'ca_file'." in fault.text


def test_an_authority_file_that_is_not_there_is_told(tmp_path):
    text = PIPELINE.replace("URL", "https://127.0.0.1:1").replace("SETTINGS", "ca_file: none.pem")

    error = run_pipeline(text, {}, tmp_path).error

    assert error == (
        f"shop: sources elasticsearch: ca_file: {tmp_path}/none.pem: No such file or directory. "
        "Name a file with PEM certificates"
    )


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"urls": "localhost:9200"}, "no web address: write http://host:9200 or https://host:9200"),
        (
            {"urls": "http://me:secret@es"},
            "a login in the address: write it as 'user' and 'password' instead",
        ),
        ({"api_key": "x", "user": "u", "password": "p"}, "api_key and user name two logins"),
        ({"user": "u"}, "user and password belong together"),
        ({"urls": []}, "at least 1 item"),
        ({"index": ""}, "at least 1 character"),
    ],
    ids=str,
)
def test_settings_that_cannot_work_are_refused(settings, told):
    with pytest.raises(ValueError, match=told) as raised:
        ElasticsearchConfig(**{"urls": "http://es:9200", "index": "logs", **settings})

    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://es.acme.example", "https://es.acme.example:443"),
        ("http://es:9200/", "http://es:9200"),
        ("https://acme.example/es/", "https://acme.example:443/es"),
        ("http://[::1]:9200", "http://[::1]:9200"),
    ],
)
def test_addresses_are_completed(written, read):
    assert ElasticsearchConfig(urls=written, index="logs").urls == [read]


def test_a_login_over_plain_http_is_warned_of(caplog):
    config = ElasticsearchConfig(urls="http://es.acme.example:9200", index="logs", api_key="x")

    ElasticsearchSource(config, Context(name="logs")).start()

    assert caplog.messages == ["logs: the login for es.acme.example is sent unencrypted. Use https."]
