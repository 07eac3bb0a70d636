"""What only Discord has: embeds, allowed mentions, and waits to the millisecond."""

import json

import pytest
from aiops_notifier_discord import DiscordConfig, DiscordNotifier

from aiops_core import Context, Retry, replace
from aiops_core.testing.chat_bench import EVENT, INCIDENT, NOON, REPORT, REVIEW
from aiops_core.testing.http_peer import HttpPeer, Reply

OK = Reply(body=b'{"id":"998877"}')


def told(report, path="", **settings):
    with HttpPeer([OK]) as peer:
        notifier = DiscordNotifier(
            DiscordConfig(url=peer.url + path, **settings), Context(clock=lambda: NOON)
        )
        receipt = notifier.notify(report)
    return peer.requests[0], receipt


def test_a_report_is_one_embed_that_mentions_nobody():
    request, receipt = told(REPORT, "/api/webhooks/1/t?thread_id=7")

    message = json.loads(request.body)
    assert request.path == "/api/webhooks/1/t?thread_id=7&wait=true"
    assert set(message) == {"embeds", "allowed_mentions"}
    assert message["allowed_mentions"] == {"parse": []}
    assert message["embeds"][0]["color"] == 0x7A1128
    assert f"[Review the fix]({REVIEW})" in message["embeds"][0]["description"]
    assert receipt.ids == (REPORT.key, "998877")


def test_the_log_cannot_leave_its_block():
    event = replace(EVENT, block="a\n```\n@everyone [x](https://evil.example)")
    request, _ = told(replace(REPORT, incident=replace(INCIDENT, events=(event,))))

    text = json.loads(request.body)["embeds"][0]["description"]
    assert text.count("```") == 2
    assert text.index("```") < text.index("ˋˋˋ") < text.rindex("```")


def test_names_with_underscores_stay_as_they_are():
    request, _ = told(replace(REPORT, title="__init__ of a_b"))

    assert "### \\_\\_init\\_\\_ of a_b" in json.loads(request.body)["embeds"][0]["description"]


@pytest.mark.parametrize(
    ("body", "headers", "after"),
    [
        (b'{"retry_after": 1.337, "global": false}', {"Retry-After": "2"}, 1.337),
        (b'{"retry_after": "soon"}', {"Retry-After": "2"}, 2.0),
        (b'{"retry_after": -5}', {}, 0.0),
    ],
)
def test_discord_says_how_long_to_wait(body, headers, after):
    with HttpPeer([Reply(429, body, headers)]) as peer, pytest.raises(Retry) as caught:
        DiscordNotifier(DiscordConfig(url=peer.url), Context(clock=lambda: NOON)).notify(REPORT)

    assert caught.value.after == after
