"""A whole pipeline over a Loki: events, logins, certificates."""

import base64
import json
import ssl
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from aiops_source_loki import LokiConfig, LokiSource
from loki_api import Entry, LokiApi

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
    sources: [{uses: loki, with: {url: URL, query: '{app="shop"}', SETTINGS}}]
    detectors: [python]
"""
SECRET = "c2hvcDpzM2NyZXQ="


def entry(number, line, *, container="c1", milliseconds=1):
    time = (int(datetime.now(UTC).timestamp()) - 60) * 10**9 + number * milliseconds * 10**6
    return Entry({"app": "shop", "container": container, "host": "web1"}, time, line)


def failures(count):
    """Return a trace line by line, so many times, each with other traffic in between."""
    entries = []
    for _ in range(count):
        for line in ["checkout failed", *TRACE.splitlines()]:
            entries.append(entry(len(entries), line))
            entries.append(entry(len(entries), f"GET /{len(entries)} 200", container="c2"))
    return entries


def run(api, directory, settings="page_size: 3", **environment):
    text = PIPELINE.replace("URL", api.url).replace("SETTINGS", settings)
    return run_pipeline(text, {}, directory, environment=environment)


def test_a_trace_sent_line_by_line_is_one_event_whoever_writes_in_between(tmp_path):
    with LokiApi(failures(1)) as api:
        result = run(api, tmp_path)

    (event,) = result.events
    assert (event.type, event.message) == ("ValueError", "no price")
    assert [frame.line for frame in event.frames] == [7]
    assert {name: event.attributes[name] for name in ("service", "host", "container")} == {
        "service": "shop",
        "host": "web1",
        "container": "c1",
    }


@pytest.mark.parametrize("metadata", [{}, {"trace_id": "t1"}])
def test_a_trace_in_a_json_line_is_one_event(tmp_path, metadata):
    line = json.dumps({"msg": "checkout failed", "level": "error", "exc_info": TRACE})
    with LokiApi([replace(entry(0, line), metadata=metadata)]) as api:
        result = run(api, tmp_path)

    (event,) = result.events
    assert (event.type, event.headline) == ("ValueError", "checkout failed")


def test_a_trace_in_one_entry_of_several_lines_is_one_event(tmp_path):
    with LokiApi([entry(0, f"checkout failed\n{TRACE}\n"), entry(1, "fine")]) as api:
        result = run(api, tmp_path)

    assert [(event.type, event.message) for event in result.events] == [("ValueError", "no price")]


def test_a_slow_loki_does_not_tear_a_trace_at_the_end_of_a_page(tmp_path, monkeypatch):
    monkeypatch.setattr("aiops_core.ingest.streams.SILENCE", 0.05)
    now = time.time_ns() - 60 * 10**9
    lines = [line for number in range(3) for line in TRACE.replace("no price", f"no {number}").splitlines()]
    entries = [Entry({"app": "shop"}, now + at * 10**6, line) for at, line in enumerate(lines)]
    with LokiApi(entries) as api:
        answer = api.answer
        monkeypatch.setattr(api, "answer", lambda *asked: time.sleep(0.3) or answer(*asked))
        result = run(api, tmp_path, "page_size: 3")

    assert [event.message for event in result.events] == ["no 0", "no 1", "no 2"]


def test_a_second_run_counts_nothing_twice(tmp_path):
    entries = failures(5)
    with LokiApi(entries[:20]) as api:
        first = run(api, tmp_path)
        api.entries = entries
        second = run(api, tmp_path)

    assert [incident.count for incident in first.incidents] == [2]
    assert [incident.count for incident in second.incidents] == [5]


@pytest.mark.parametrize(
    ("settings", "headers"),
    [
        ("token: '${env:SECRET}'", {"authorization": f"Bearer {SECRET}"}),
        (
            "user: shop, password: '${env:SECRET}', tenant: team-1",
            {
                "authorization": "Basic " + base64.b64encode(f"shop:{SECRET}".encode()).decode(),
                "x-scope-orgid": "team-1",
            },
        ),
    ],
)
def test_login_and_tenant_are_sent(tmp_path, settings, headers):
    with LokiApi(failures(1), headers=headers) as api:
        result = run(api, tmp_path, settings, SECRET=SECRET)

    assert len(result.events) == 1
    assert SECRET not in repr(result)


def test_a_wrong_login_is_told_once_and_without_the_secret(tmp_path):
    with LokiApi(headers={"authorization": "Bearer right"}) as api:
        result = run(api, tmp_path, "token: '${env:SECRET}'", SECRET=SECRET)
        again = run(api, tmp_path, "token: '${env:SECRET}'", SECRET=SECRET)

    (fault,) = result.faults
    told = "the login is refused (401 no org id). Check 'token', 'user' and 'password', or 'tenant'"
    assert f"{api.place}: {told}" in fault.text
    assert len(result.fault_reports) == 1
    assert (again.fault_reports, again.error) == ((), "")
    assert SECRET not in repr(result) + repr(again)


def secure(authority, entries):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return LokiApi(entries).tls(context)


def test_a_certificate_of_a_named_authority_is_trusted(tmp_path, authority):
    with secure(authority, failures(1)) as api:
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
        f"shop: sources loki: ca_file: {tmp_path}/none.pem: No such file or directory. "
        "Name a file with PEM certificates"
    )


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"url": "localhost:3100"}, "no web address: write http://host:3100 or https://host"),
        (
            {"url": "http://me:secret@loki"},
            "a login in the address: write it as 'user' and 'password' instead",
        ),
        ({"url": "http://loki/loki/api/v1"}, "more than an address: leave out /loki/api"),
        ({"token": "x", "user": "u", "password": "p"}, "token and user name two logins"),
        ({"token": "schl\u00fcssel"}, "token has signs no token may have"),
        ({"user": "u"}, "user and password belong together"),
        ({"query": 'rate({app="shop"}[1m])'}, "selects no streams: begin with a selector"),
        ({"tenant": "a\nb"}, "is no tenant"),
    ],
    ids=str,
)
def test_settings_that_cannot_work_are_refused(settings, told):
    with pytest.raises(ValueError, match=told) as raised:
        LokiConfig(**{"url": "http://loki:3100", "query": "{}", **settings})

    assert "secret" not in str(raised.value)


def test_a_login_over_plain_http_is_warned_of(caplog):
    config = LokiConfig(url="http://loki.acme.example:3100", query="{}", token="x")

    LokiSource(config, Context(name="logs")).start()

    assert caplog.messages == ["logs: the login for loki.acme.example is sent unencrypted. Use https."]
