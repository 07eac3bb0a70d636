"""Apprise's services against a real server: what arrives, what is refused, what is kept secret."""

import json
import logging
from datetime import timedelta
from time import monotonic

import pytest
from aiops_notifier_apprise import AppriseConfig, AppriseNotifier
from aiops_notifier_apprise.notifier import words

from aiops_core import Context, Retry, UserError, replace
from aiops_core.testing.chat_bench import FAULT, NOON, REPORT, REVIEW
from aiops_core.testing.http_peer import HttpPeer, Reply


def notifier(*urls, **settings):
    return AppriseNotifier(AppriseConfig(urls=list(urls), **settings), Context(clock=lambda: NOON))


def address(peer, path="geheim-4711"):
    return f"json://{peer.url.removeprefix('http://')}/{path}"


def test_a_report_arrives_at_every_service():
    with HttpPeer() as one, HttpPeer() as other:
        receipt = notifier(address(one), address(other), prefix="[staging]").notify(REPORT)

    [request], [_] = one.requests, other.requests
    message = json.loads(request.body)
    assert message["title"] == "［staging］ ［CRITICAL］ shop: An item without a price stops the checkout"
    assert message["type"] == "failure"
    assert "Root cause:\nNobody checks for a missing price." in message["message"]
    assert REVIEW in message["message"]
    assert [result.recipient for result in receipt.recipients] == ["urls[0] (JSON)", "urls[1] (JSON)"]


def test_a_report_speaks_the_pipeline_s_language():
    _, body = words(replace(REPORT, language="zh"), "", 250, 4_000)

    assert body.startswith("严重 · 新问题 · ×3\n")


def test_one_that_fails_keeps_the_message_from_no_other_and_is_tried_again_alone():
    with HttpPeer([Reply(500)]) as one, HttpPeer() as other:
        sender = notifier(address(one), address(other))
        with pytest.raises(Retry) as caught:
            sender.notify(REPORT)
        sender.notify(REPORT)

    assert str(caught.value) == (
        "apprise: urls[0] (JSON): the message was not taken. Apprise does not say why."
    )
    assert (len(one.requests), len(other.requests)) == (2, 1)


def test_a_redirect_is_not_followed():
    with HttpPeer() as other:
        reply = Reply(307, headers={"Location": other.url})
        with HttpPeer([reply]) as peer, pytest.raises(Retry):
            notifier(address(peer)).notify(REPORT)

        assert other.requests == []


@pytest.mark.parametrize("reply", [Reply(delay=20), Reply(headers={"Content-Length": "99"}, pause=0.05)])
def test_a_slow_service_is_left_at_the_deadline_and_not_asked_again_meanwhile(reply):
    with HttpPeer(usual=reply) as peer:
        sender = notifier(address(peer), timeout=timedelta(seconds=0.3))
        began = monotonic()
        for report in (REPORT, FAULT):
            with pytest.raises(Retry):
                sender.notify(report)

        assert monotonic() - began < 10


def test_untrusted_text_mentions_nobody_and_links_nowhere():
    evil = "@everyone <!channel> <@U1> [x](https://evil.example) https://evil.example"
    with HttpPeer() as peer:
        notifier(address(peer)).notify(replace(FAULT, title=evil, text=evil))

    body = peer.requests[0].body.decode()
    assert [sign for sign in ("@everyone", "<!", "<@", "https://evil", "](") if sign in body] == []


@pytest.mark.parametrize(("title", "body"), [(250, 4_000), (0, 300), (40, 60)])
def test_a_message_is_no_longer_than_the_service_takes(title, body):
    long = replace(REPORT, title="word " * 500, text="word " * 5_000)

    subject, text = words(long, "", title, body)

    assert len(subject) <= title
    assert 0 < len(text) <= body
    assert text.endswith(("…", "word")) or "…" in text


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mailto://user:geheim@example.org", "mail is not sent through Apprise"),
        ("mailtos://user:geheim@gmail.com", "mail is not sent through Apprise"),
        ("nonsense://geheim", "no address Apprise understands"),
        ("json://user:geheim@chat.example.org/x", "its secret would travel in clear text. Write jsons://"),
        ("jsons://user:geheim@chat.example.org/x?verify=no", "verify=no trusts every certificate"),
        (
            "jsons://user:geheim@chat.example.org/x?redirect=yes",
            "redirect=yes may lead the message elsewhere",
        ),
    ],
)
def test_an_address_that_may_not_be_used_is_found_at_start_and_not_shown(url, problem):
    with pytest.raises(UserError) as caught:
        notifier("jsons://h.example/x", url).start()

    assert str(caught.value).startswith(f"urls[1]: {problem}")
    assert "geheim" not in str(caught.value)


def test_no_secret_reaches_a_log_or_an_error(caplog):
    caplog.set_level(logging.DEBUG)
    with HttpPeer([Reply(401, b"geheim-4711")]) as peer:
        sender = notifier(address(peer))
        with pytest.raises(Retry) as caught:
            sender.notify(REPORT)
        receipt = sender.notify(REPORT)

    assert "geheim" not in f"{caplog.text} {caught.value} {receipt} {sender.config!r}"


def test_a_probe_connects_and_tells_nobody_anything():
    with HttpPeer() as peer:
        found = notifier(address(peer)).probe()
        asked = list(peer.requests)
    with pytest.raises(
        Retry, match=r"apprise: urls\[0\] \(JSON\): 127.0.0.1:\d+ cannot be reached: Connection refused"
    ):
        notifier(address(peer)).probe()

    assert found == "urls[0] (JSON): understood; whether a message would be taken was not asked"
    assert asked == []
