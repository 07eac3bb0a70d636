"""XOAUTH2: where the access token comes from, how long it is used, and what a refusal becomes."""

import json
import logging
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from aiops_notifier_email import EmailConfig, EmailNotifier
from pydantic import ValidationError

from aiops_core import Context, Retry, UserError
from aiops_core.testing.chat_bench import FAULT, REPORT
from aiops_core.testing.http_peer import HttpPeer, Reply
from aiops_core.testing.smtp import SmtpServer

OAUTH = {"client_id": "app", "client_secret": "geheim-geheim", "refresh_token": "refresh-geheim"}


class Clock:
    now = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

    def __call__(self):
        return self.now


def given(token, seconds=3600):
    return Reply(body=json.dumps({"access_token": token, "expires_in": seconds}).encode())


def notifier(server, peer, clock=None, **oauth):
    settings = {
        "to": ["ann@example.org"],
        "host": "127.0.0.1",
        "port": server.port,
        "security": "none",
        "username": "bot@example.org",
        "timeout": timedelta(seconds=5),
        "oauth": {"token_url": f"{peer.url}/token", **(OAUTH | oauth)},
    }
    return EmailNotifier(EmailConfig(**settings), Context(clock=clock or Clock()))


@pytest.fixture
def server():
    with SmtpServer(tokens={"bot@example.org": "access-1"}) as server:
        yield server


def test_an_access_token_is_asked_for_and_logs_in(server):
    with HttpPeer([given("access-1")]) as peer:
        notifier(server, peer, scope="mail").notify(REPORT)

    [request] = peer.requests
    assert {name: values[0] for name, values in parse_qs(request.body.decode()).items()} == {
        "client_id": "app",
        "client_secret": "geheim-geheim",
        "refresh_token": "refresh-geheim",
        "grant_type": "refresh_token",
        "scope": "mail",
    }
    assert [mail.user for mail in server.messages] == ["bot@example.org"]


def test_without_a_refresh_token_the_application_asks_for_itself(server):
    with HttpPeer([given("access-1")]) as peer:
        notifier(server, peer, refresh_token=None).notify(REPORT)

    assert parse_qs(peer.requests[0].body.decode())["grant_type"] == ["client_credentials"]


def test_a_token_is_used_until_shortly_before_its_end(server):
    clock = Clock()
    with HttpPeer(usual=given("access-1")) as peer:
        sender = notifier(server, peer, clock)
        sender.notify(REPORT)
        clock.now += timedelta(minutes=57)
        sender.notify(FAULT)
        clock.now += timedelta(minutes=2)
        sender.notify(FAULT)

    assert len(peer.requests) == 2


def test_a_new_token_that_is_refused_is_a_setting_to_correct(server):
    with HttpPeer([given("wrong")]) as peer, pytest.raises(UserError) as caught:
        notifier(server, peer).notify(REPORT)

    assert str(caught.value).startswith(
        f"email to 127.0.0.1:{server.port}: the access token was refused (535 "
    )
    assert str(caught.value).endswith("). Check username and oauth.")


def test_a_kept_token_that_is_refused_is_replaced(server):
    with HttpPeer([given("access-1"), given("access-2")]) as peer:
        sender = notifier(server, peer)
        sender.notify(REPORT)
        server.tokens = {"bot@example.org": "access-2"}
        with pytest.raises(Retry, match="the access token was refused"):
            sender.notify(FAULT)
        sender.notify(FAULT)

    assert len(server.messages) == 2


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (Reply(400, b'{"error":"invalid_grant"}'), UserError, "refused (400 invalid_grant). Check oauth."),
        (Reply(503, b"later"), Retry, "not now (503)."),
        (Reply(200, b"<html>"), UserError, "refused (200). Check oauth."),
        (Reply(302, headers={"Location": "http://127.0.0.1:1/"}), UserError, "refused (302). Check oauth."),
        (Reply(reset=True), Retry, "email: access token from http://127.0.0.1"),
    ],
)
def test_a_token_that_is_not_given_says_why(server, reply, kind, words):
    with HttpPeer([reply]) as peer, pytest.raises(kind) as caught:
        notifier(server, peer).notify(REPORT)

    assert words in str(caught.value)
    assert server.messages == []


def test_no_secret_is_shown(server, caplog):
    caplog.set_level(logging.DEBUG)
    echo = Reply(400, b'{"error":"geheim-geheim? no","error_description":"refresh-geheim"}')
    with HttpPeer([given("access-1"), echo]) as peer:
        sender = notifier(server, peer)
        sender.notify(REPORT)

    assert [word for word in ("geheim-geheim", "refresh-geheim", "access-1") if word in caplog.text] == []
    assert "geheim" not in repr(sender.config)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"password": "x"}, "two ways to log in: write `password` or `oauth`"),
        ({"host": "smtp.example.org"}, "would travel in clear text"),
        (
            {"oauth": {"token_url": "http://idp.example.org/", "client_id": "app"}},
            "would travel in clear text",
        ),
    ],
)
def test_a_setting_that_cannot_work_is_refused(changes, words):
    settings = {
        "to": ["ann@example.org"],
        "host": "127.0.0.1",
        "security": "none",
        "oauth": {"token_url": "https://idp.example.org/", "client_id": "app"},
    }
    with pytest.raises(ValidationError, match=words):
        EmailConfig(**(settings | changes))
