"""Posts to a real server on loopback: what arrives, and what each answer becomes."""

import hashlib
import hmac
import json
import re
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest
from aiops_notifier_webhook import WebhookConfig, WebhookNotifier
from pydantic import ValidationError

from aiops_core import (
    Analysis,
    Change,
    ChangedFile,
    CodeSample,
    Context,
    Decision,
    Event,
    Frame,
    Incident,
    Outcome,
    Plan,
    RaisedException,
    Report,
    Retry,
    TestRun,
    Usage,
    UserError,
    replace,
)
from aiops_core.testing.http_peer import HttpPeer, Reply

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
RUN = TestRun("pytest -q", 1, 2.5, tests=12, failed=("test_empty",), sandbox="bubblewrap")
EVENT = Event(
    type="ValueError",
    message="bad",
    exceptions=(RaisedException("ValueError", "bad", (Frame("app.py", 7, "run", "app"),)),),
    occurred_at=NOON,
    attributes={"service": "checkout"},
    detector="python",
    path="/var/log/app.log",
    start=10,
    end=90,
    block="ValueError: bad",
    context_before=("INFO before",),
    key="e1",
)
INCIDENT = Incident(
    1, "shop", "v1:abc", "bad", "ValueError", "bad", "python", "error", "new", 2, NOON, NOON, (EVENT,)
)
REPORT = Report(
    key="shop/v1:abc/run-1",
    kind="incident",
    pipeline="shop",
    title="Bad value",
    incident=INCIDENT,
    analysis=Analysis(
        "Bad value",
        "It is bad.",
        "Nobody checks it.",
        ("Check it.",),
        (CodeSample("app.py", "check()", "python"),),
        ("Test it.",),
        ("E1",),
        0.8,
        analyzer="claude",
        usage=Usage("claude-x", 10, 5, cost=0.01),
    ),
    change=Change(
        "abc123",
        "main",
        (ChangedFile("app.py", b"x"), ChangedFile("old.py", None)),
        "+x",
        RUN,
        RUN,
        ("note",),
    ),
    plans=(Plan("Open", "Would open.", action="forge"),),
    outcomes=(Outcome("done", "Opened #17.", "https://git.example/17", action="github_pull_request"),),
    decisions=(Decision("dry_run", "Only planned.", "actions[0].mode", NOON),),
    created_at=NOON,
)


def notifier(peer=None, **changes):
    settings = {"url": f"{peer.url}/hooks/aiops?team=shop" if peer else "http://127.0.0.1:1/"}
    return WebhookNotifier(WebhookConfig(**(settings | changes)), Context(clock=lambda: NOON))


def keys(value):
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = set(value) if isinstance(value, dict) else set()
    return own.union(*map(keys, children))


def test_a_report_arrives_as_json_of_the_documented_shape():
    with HttpPeer() as peer:
        notifier(peer).notify(REPORT)

    [request] = peer.requests
    run = {
        "command": "pytest -q",
        "exit_code": 1,
        "seconds": 2.5,
        "tests": 12,
        "timed_out": False,
        "sandbox": "bubblewrap",
        "passed": False,
        "failed": ["test_empty"],
    }
    assert (request.method, request.path) == ("POST", "/hooks/aiops?team=shop")
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == {
        "version": 1,
        "key": "shop/v1:abc/run-1",
        "kind": "incident",
        "pipeline": "shop",
        "language": "en",
        "created_at": "2026-05-04T12:00:00+00:00",
        "severity": "error",
        "title": "Bad value",
        "text": "",
        "incident": {
            "id": 1,
            "fingerprint": "v1:abc",
            "title": "bad",
            "type": "ValueError",
            "message": "bad",
            "language": "python",
            "severity": "error",
            "state": "new",
            "count": 2,
            "first_seen": "2026-05-04T12:00:00+00:00",
            "last_seen": "2026-05-04T12:00:00+00:00",
            "event": {
                "key": "e1",
                "detector": "python",
                "path": "/var/log/app.log",
                "start": 10,
                "end": 90,
                "headline": "",
                "block": "ValueError: bad",
                "truncated": False,
                "occurred_at": "2026-05-04T12:00:00+00:00",
                "read_at": None,
                "attributes": {"service": "checkout"},
                "frames": [
                    {
                        "file": "app.py",
                        "line": 7,
                        "column": 0,
                        "function": "run",
                        "module": "app",
                        "in_app": True,
                    }
                ],
                "context_before": ["INFO before"],
                "context_after": [],
            },
        },
        "analysis": {
            "analyzer": "claude",
            "title": "Bad value",
            "summary": "It is bad.",
            "root_cause": "Nobody checks it.",
            "confidence": 0.8,
            "provable": True,
            "repair_steps": ["Check it."],
            "code_samples": [{"title": "app.py", "code": "check()", "language": "python"}],
            "prevention": ["Test it."],
            "cited": ["E1"],
            "usage": {
                "model": "claude-x",
                "input_tokens": 10,
                "output_tokens": 5,
                "cache_read_tokens": 0,
                "cache_write_tokens": 0,
                "cost": 0.01,
            },
        },
        "change": {
            "base_branch": "main",
            "base_commit": "abc123",
            "diff": "+x",
            "files": [{"path": "app.py", "removed": False}, {"path": "old.py", "removed": True}],
            "notes": ["note"],
            "before": run,
            "after": run,
        },
        "plans": [{"action": "forge", "title": "Open", "text": "Would open.", "hash": REPORT.plans[0].hash}],
        "outcomes": [
            {
                "action": "github_pull_request",
                "status": "done",
                "summary": "Opened #17.",
                "url": "https://git.example/17",
                "final": True,
            }
        ],
        "decisions": [
            {
                "rule": "dry_run",
                "text": "Only planned.",
                "setting": "actions[0].mode",
                "at": "2026-05-04T12:00:00+00:00",
            }
        ],
        "owners": [],
        "parts": [],
        "part_of": None,
        "new_with": "",
        "new_after": "",
    }


def test_a_fault_report_has_the_same_keys():
    with HttpPeer() as peer:
        notifier(peer).notify(
            Report("fault-1", "fault", "shop", "source file: cannot read", "Permission denied.")
        )
        notifier(peer).notify(REPORT)

    fault, incident = (json.loads(request.body) for request in peer.requests)
    assert list(fault) == list(incident)
    assert (fault["kind"], fault["incident"], fault["text"]) == ("fault", None, "Permission denied.")


def test_the_receipt_holds_the_key_and_no_secret_part_of_the_address():
    with HttpPeer([Reply(status=202)]) as peer:
        receipt = notifier(peer).notify(REPORT)

    [result] = receipt.recipients
    assert receipt.ids == ("shop/v1:abc/run-1",)
    assert (result.recipient, result.accepted) == (peer.url, True)


def test_the_signature_covers_the_timestamp_and_the_raw_body():
    with HttpPeer() as peer:
        notifier(peer, secret="geheim").notify(REPORT)

    [request] = peer.requests
    timestamp = request.headers["x-aiops-timestamp"]
    expected = hmac.new(b"geheim", timestamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert timestamp == str(int(NOON.timestamp()))
    assert request.headers["x-aiops-signature"] == f"sha256={expected}"


def test_the_readme_shows_how_a_receiver_checks_the_signature():
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    [code] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    names = {}

    exec(code, names)

    with HttpPeer() as peer:
        notifier(peer, secret="geheim").notify(REPORT)
    [request] = peer.requests
    headers = {name.title(): value for name, value in request.headers.items()}
    assert names["is_genuine"]("geheim", headers, request.body, NOON.timestamp())
    assert not names["is_genuine"]("falsch", headers, request.body, NOON.timestamp())


def test_every_key_of_the_body_is_in_the_readme():
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    with HttpPeer() as peer:
        notifier(peer).notify(REPORT)

    assert {key for key in keys(json.loads(peer.requests[0].body)) if f"`{key}`" not in readme} == {"service"}


def test_without_a_secret_nothing_is_signed():
    with HttpPeer() as peer:
        notifier(peer).notify(REPORT)

    assert "x-aiops-signature" not in peer.requests[0].headers


def test_a_repeat_carries_the_same_idempotency_key():
    with HttpPeer([Reply(reset=True)]) as peer:
        sender = notifier(peer)
        with pytest.raises(Retry):
            sender.notify(REPORT)
        sender.notify(REPORT)

    first, again = peer.requests
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"] == "shop/v1:abc/run-1"
    assert first.body == again.body


def test_a_key_with_signs_no_header_may_have_is_percent_encoded():
    with HttpPeer() as peer:
        notifier(peer).notify(replace(REPORT, key="结账\r\nX-Evil: 1"))

    assert peer.requests[0].headers["idempotency-key"] == "%E7%BB%93%E8%B4%A6%0D%0AX-Evil:%201"
    assert "x-evil" not in peer.requests[0].headers


def test_headers_of_the_settings_are_sent_along():
    with HttpPeer() as peer:
        notifier(peer, headers={"Authorization": "Bearer geheim", "user-agent": "ours"}).notify(REPORT)

    headers = peer.requests[0].headers
    assert headers["authorization"] == "Bearer geheim"
    assert headers["user-agent"] == "ours"


@pytest.mark.parametrize("status", [200, 202, 204])
def test_every_2xx_is_success(status):
    with HttpPeer([Reply(status=status)]) as peer:
        assert notifier(peer).notify(REPORT).recipients[0].accepted


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_an_answer_that_may_pass_is_tried_again(status):
    with HttpPeer([Reply(status=status, body=b"busy\x1b[31m\nnow")]) as peer, pytest.raises(Retry) as caught:
        notifier(peer).notify(REPORT)

    assert str(caught.value) == f"webhook to {peer.url}: not now ({status} busy now)."
    assert caught.value.after == 0


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_an_answer_that_will_not_pass_is_not_tried_again(status):
    with HttpPeer([Reply(status=status, body=b"no")]) as peer, pytest.raises(UserError) as caught:
        notifier(peer).notify(REPORT)

    assert (
        str(caught.value) == f"webhook to {peer.url}: refused ({status} no). Check url, headers and secret."
    )


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_is_never_followed(status):
    words = rf"it redirects \({status}\), which is never followed"

    with HttpPeer() as other:
        reply = Reply(status=status, headers={"Location": other.url})
        with HttpPeer([reply]) as peer, pytest.raises(UserError, match=words):
            notifier(peer).notify(REPORT)

    assert other.requests == []


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_reaches_the_host(status):
    reply = Reply(status=status, headers={"Retry-After": "2.5"})

    with HttpPeer([reply]) as peer, pytest.raises(Retry) as caught:
        notifier(peer).notify(REPORT)

    assert caught.value.after == 2.5


@pytest.mark.parametrize(
    "reply", [Reply(delay=20), Reply(pause=0.05), Reply(status=500, body=b"x" * 900, pause=0.05)]
)
def test_a_slow_peer_is_left_at_the_deadline_of_the_whole_delivery(reply):
    with HttpPeer(usual=reply) as peer:
        began = monotonic()
        with pytest.raises(Retry) as caught:
            notifier(peer, timeout=timedelta(seconds=0.15)).notify(REPORT)

    assert str(caught.value) == f"webhook to {peer.url}: no answer within 0.15 s."
    assert monotonic() - began < 10


def test_a_connection_that_breaks_after_the_body_was_read_is_tried_again():
    with HttpPeer(usual=Reply(reset=True)) as peer, pytest.raises(Retry, match=f"webhook to {peer.url}: "):
        notifier(peer).notify(REPORT)

    assert len(peer.requests) == 1


def test_nobody_listening_is_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(Retry, match=rf"webhook to http://127.0.0.1:{port}: "):
        notifier(url=f"http://127.0.0.1:{port}/secret-path").notify(REPORT)


def test_a_long_answer_is_cut_and_cleaned():
    body = b"\x1b]0;evil\x07" + b"y" * 50_000
    with HttpPeer([Reply(status=400, body=body)]) as peer, pytest.raises(UserError) as caught:
        notifier(peer).notify(REPORT)

    assert "y" * 200 + ")" in str(caught.value)
    assert "y" * 201 not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_https_is_verified_against_the_named_authority():
    with HttpPeer(tls=True) as peer:
        notifier(peer, ca_file=peer.ca_file).notify(REPORT)

        with pytest.raises(UserError) as caught:
            notifier(peer).notify(REPORT)

    assert len(peer.requests) == 1
    assert str(caught.value).startswith(f"webhook to {peer.url}: the certificate cannot be trusted (")
    assert str(caught.value).endswith("). Name its authority in `ca_file`.")


def test_a_missing_authority_file_is_found_at_start(tmp_path):
    sender = WebhookNotifier(WebhookConfig(url="https://h/", ca_file="ca.pem"), Context(directory=tmp_path))

    with pytest.raises(UserError) as caught:
        sender.start()

    expected = (
        f"ca_file: {tmp_path / 'ca.pem'}: No such file or directory. Name a file with PEM certificates."
    )
    assert str(caught.value) == expected


def test_long_texts_are_cut_in_the_middle_and_broken_ones_become_valid_json():
    event = replace(EVENT, block="first " + "x" * 100_000 + " last", message="\udcff\x1b[0m\x00")
    analysis = replace(REPORT.analysis, confidence=float("nan"))
    report = replace(REPORT, incident=replace(INCIDENT, events=(event,)), analysis=analysis, title="\ud800é")

    with HttpPeer() as peer:
        notifier(peer, limit=2048).notify(report)

    sent = json.loads(peer.requests[0].body.decode("ascii"))
    block = sent["incident"]["event"]["block"]
    assert block.startswith("first x")
    assert block.endswith("x last")
    assert "bytes left out …]" in block
    assert len(block) < 2100
    assert sent["analysis"]["confidence"] is None
    assert sent["title"] == "\ufffdé"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"url": "ftp://h/"}, "no web address"),
        ({"url": "file:///etc/passwd"}, "no web address"),
        ({"url": "h/path"}, "no web address"),
        ({"url": "http://user:pw@h/"}, "a login in the address"),
        ({"url": "http://h/a b"}, "signs that no address has"),
        ({"url": "http://h:99999/"}, "Port out of range"),
        ({"headers": {"Bad Name": "x"}}, "is no header name"),
        ({"headers": {"X-A": "x\r\nY: z"}}, "has signs no header may have"),
        ({"headers": {"content-length": "1"}}, "is set by this notifier"),
        ({"headers": {"X-Aiops-Signature": "1"}}, "is set by this notifier"),
        ({"limit": 10}, "greater than or equal to 1024"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(changes, words):
    with pytest.raises(ValidationError, match=words) as caught:
        notifier(**changes)

    assert "pw@" not in str(caught.value)


def test_no_secret_is_in_a_representation():
    sender = notifier(
        url="https://h.example/T0KEN", secret="geheim", headers={"Authorization": "Bearer geheim"}
    )

    assert "geheim" not in repr(sender.config)
    assert "T0KEN" not in repr(sender.config)


# -- where it goes ----------------------------------------------------------------------------------

OWN = [
    "127.1",
    "127.0.1",
    "127.00.0.1",
    "127.0.0.01",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0x7f.0.0.1",
    "017700000001",
    "0177.0.0.1",
    "0177.1",
    "127.0.0.1.",
    "127.0.0.2",
    "127.255.255.254",
    "0",
    "0.0.0.0",
    "0x0",
    "00000000",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[0:0:0:0:0:0:0:1]",
    "[0::1]",
    "localhost.",
    "loopback",
    "ip6-localhost",
    "ip6-loopback",
]
INSIDE = [
    "10.0.0.1",
    "10.1",
    "167772161",
    "0xa000001",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.1",
    "3232235521",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[fc00::1]",
    "[ff02::1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "[2001:db8::1]",
]


@pytest.mark.parametrize("host", [*OWN, *INSIDE])
def test_no_spelling_of_an_address_inside_is_connected_to(host, monkeypatch):
    connected = []
    monkeypatch.setattr("socket.socket.connect", lambda self, address: connected.append(address))
    monkeypatch.setattr("asyncio.SelectorEventLoop.sock_connect", lambda *a: connected.append(a))
    with HttpPeer() as peer:
        port = peer.url.rpartition(":")[2]
        with pytest.raises((UserError, Retry)) as caught:
            WebhookNotifier(WebhookConfig(url=f"http://{host}:{port}/"), Context()).notify(REPORT)

    assert (connected, peer.requests) == ([], [])
    assert (
        isinstance(caught.value, Retry)
        or "nothing was sent" in str(caught.value)
        or "address" in str(caught.value)
    )


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "LOCALHOST"])
def test_this_machine_may_be_named_as_itself(host):
    with HttpPeer() as peer:
        WebhookNotifier(
            WebhookConfig(url=peer.url.replace("127.0.0.1", host)), Context(clock=lambda: NOON)
        ).notify(REPORT)

    assert len(peer.requests) == 1


class Names:
    """Answer for names, each time otherwise."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, host, port, *rest, **more):
        self.asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (self.answers.pop(0), port))]


def test_a_name_is_looked_up_once_and_what_was_looked_at_is_connected_to(monkeypatch):
    names = Names("127.0.0.1", "169.254.169.254")
    with HttpPeer() as peer:
        monkeypatch.setattr("socket.getaddrinfo", names)
        url = peer.url.replace("127.0.0.1", "localhost")
        WebhookNotifier(WebhookConfig(url=url), Context(clock=lambda: NOON)).notify(REPORT)

    assert names.asked == ["localhost"]
    assert [request.headers["host"] for request in peer.requests] == [url.partition("//")[2]]


def test_without_tls_no_authority_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "broken.pem"))
    (tmp_path / "broken.pem").write_text("no certificate")

    with HttpPeer() as peer:
        notifier(peer).notify(REPORT)

    assert len(peer.requests) == 1


def test_the_certificate_must_be_that_of_the_name(monkeypatch):
    with HttpPeer(tls=True) as peer:  # whose certificate is for 127.0.0.1
        monkeypatch.setattr("socket.getaddrinfo", Names("127.0.0.1"))
        settings = WebhookConfig(url=peer.url.replace("127.0.0.1", "localhost"), ca_file=peer.ca_file)
        with pytest.raises(UserError, match="certificate is not valid for 'localhost'"):
            WebhookNotifier(settings, Context(clock=lambda: NOON)).notify(REPORT)


def test_a_name_that_leads_inside_is_refused_unless_its_network_is_named(monkeypatch):
    with HttpPeer() as peer:
        url = peer.url.replace("127.0.0.1", "hooks.example.com")
        monkeypatch.setattr("socket.getaddrinfo", Names(*["127.0.0.1"] * 3))
        with pytest.raises(UserError) as caught:
            WebhookNotifier(WebhookConfig(url=url), Context(clock=lambda: NOON)).notify(REPORT)
        with pytest.raises(UserError):
            WebhookNotifier(WebhookConfig(url=url), Context(clock=lambda: NOON)).probe()
        before = len(peer.requests)
        settings = WebhookConfig(url=url, allow_private=["127.0.0.0/8"])
        WebhookNotifier(settings, Context(clock=lambda: NOON)).notify(REPORT)

    assert (before, len(peer.requests)) == (0, 1)
    assert str(caught.value) == (
        f"webhook to {url}: 127.0.0.1 is an address of a private network or of this machine, nothing was sent. "
        "Correct the address, or name the network in 'allow_private'."
    )


def test_what_is_no_network_is_refused():
    with pytest.raises(ValidationError, match="'office' is no network"):
        WebhookConfig(url="https://h/", allow_private=["office"])
