"""What only Slack has: threads, messages brought up to date, and blocks its SDK takes."""

import json

import pytest
from aiops_notifier_slack import SlackConfig, SlackNotifier
from aiops_notifier_slack.blocks import escape, message
from pydantic import ValidationError
from slack_sdk.models.blocks import Block

from aiops_core import Context, Retry, UserError, replace
from aiops_core.testing.chat_bench import FAULT, INCIDENT, NOON, REPORT, REVIEW
from aiops_core.testing.http_peer import HttpPeer, Reply


def said(**fields):
    return Reply(body=json.dumps(fields).encode(), headers={"Content-Type": "application/json"})


FIRST = said(ok=True, channel="C1", ts="100.1")
REPLY = said(ok=True, channel="C1", ts="100.2")
LATER = replace(REPORT, key="later", title="It came back", incident=replace(INCIDENT, count=9))


@pytest.fixture
def bot(tmp_path, monkeypatch):
    monkeypatch.setattr(SlackNotifier, "rate", (100, 1.0))

    def make(peer):
        config = SlackConfig(base_url=f"{peer.url}/api/", token="xoxb-1", channel="#ops")
        return SlackNotifier(config, Context(clock=lambda: NOON, scratch=tmp_path))

    return make


def calls(peer):
    return [(request.path.rpartition("/")[2], json.loads(request.body)) for request in peer.requests]


def test_an_incident_has_one_thread_whose_first_message_is_kept_up_to_date(bot):
    with HttpPeer([FIRST, REPLY, REPLY]) as peer:
        receipt = bot(peer).notify(REPORT)
        bot(peer).notify(LATER)

    (post, first), (again, reply), (update, changed) = calls(peer)
    assert (post, again, update) == ("chat.postMessage", "chat.postMessage", "chat.update")
    assert (first["channel"], "thread_ts" in first) == ("#ops", False)
    assert (reply["channel"], reply["thread_ts"]) == ("C1", "100.1")
    assert (changed["channel"], changed["ts"], changed["blocks"]) == ("C1", "100.1", reply["blocks"])
    assert "It came back" in reply["text"]
    assert receipt.ids == (REPORT.key, "C1", "100.1")
    assert peer.requests[0].headers["authorization"] == "Bearer xoxb-1"


def test_a_report_in_its_thread_is_not_told_again(bot):
    with HttpPeer([FIRST, REPLY, said(ok=False, error="internal_error"), REPLY]) as peer:
        bot(peer).notify(REPORT)
        with pytest.raises(Retry):
            bot(peer).notify(LATER)
        bot(peer).notify(LATER)

    assert [method for method, _ in calls(peer)] == [
        "chat.postMessage",
        "chat.postMessage",
        "chat.update",
        "chat.update",
    ]


def test_a_thread_that_was_deleted_is_begun_anew(bot):
    gone = said(ok=False, error="thread_not_found")
    with HttpPeer([FIRST, gone, said(ok=True, channel="C1", ts="200.1"), REPLY, REPLY]) as peer:
        bot(peer).notify(REPORT)
        receipt = bot(peer).notify(LATER)

    assert receipt.ids == ("later", "C1", "200.1")
    assert "thread_ts" not in calls(peer)[2][1]


def test_a_message_that_cannot_be_changed_is_no_failure(bot, caplog):
    with HttpPeer([FIRST, REPLY, said(ok=False, error="cant_update_message")]) as peer:
        bot(peer).notify(REPORT)
        bot(peer).notify(LATER)

    assert "cant_update_message" in caplog.text


def test_a_failure_of_the_pipeline_is_a_message_of_its_own(bot):
    with HttpPeer(usual=FIRST) as peer:
        bot(peer).notify(FAULT)
        bot(peer).notify(FAULT)

    assert [method for method, _ in calls(peer)] == ["chat.postMessage"] * 2


def test_a_webhook_gets_each_report_as_a_message():
    with HttpPeer(usual=Reply(body=b"ok")) as peer:
        notifier = SlackNotifier(SlackConfig(url=peer.url, prefix="[staging]"), Context(clock=lambda: NOON))
        notifier.notify(REPORT)

    [(_, body)] = calls(peer)
    assert body["text"] == "[staging] [CRITICAL] shop: An item without a price stops the checkout"
    assert (body["unfurl_links"], body["unfurl_media"]) == (False, False)


@pytest.mark.parametrize("report", [REPORT, FAULT, replace(REPORT, title="x" * 999, language="zh")])
def test_the_sdk_takes_every_block(report):
    blocks = message(report, prefix="p")["blocks"]

    parsed = Block.parse_all(blocks)
    assert len(parsed) == len(blocks) <= 50
    for block in parsed:
        block.validate_json()


def test_a_fix_has_a_button():
    [actions] = [block for block in message(REPORT, prefix="")["blocks"] if block["type"] == "actions"]

    assert actions["elements"][0]["url"] == REVIEW


def test_the_notification_s_text_is_shown_literally():
    assert escape("<!channel> <@U1> a&b") == "&lt;!channel&gt; &lt;＠U1&gt; a&amp;b"


def test_a_refusal_names_its_cause(bot):
    with HttpPeer([said(ok=False, error="not_in_channel")]) as peer, pytest.raises(UserError) as caught:
        bot(peer).notify(REPORT)

    assert str(caught.value) == (
        f"slack to {peer.url}: refused (not_in_channel). Invite the bot into the channel."
    )


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "one way is needed"),
        ({"url": "https://h/x", "token": "t", "channel": "c"}, "one way is needed"),
        ({"token": "t"}, "a bot needs to know where: write `channel`"),
        ({"url": "http://h.example/x"}, "clear text"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(settings, problem):
    with pytest.raises(ValidationError, match=problem):
        SlackConfig(**settings)


def test_a_probe_of_a_bot_asks_who_it_is_and_tells_nobody(bot):
    with HttpPeer([said(ok=True, user="aiops")]) as peer:
        found = bot(peer).probe()

    assert [name for name, _ in calls(peer)] == ["auth.test"]
    assert found.endswith("logged in as aiops")


def test_a_probe_says_that_a_token_is_no_good(bot):
    with (
        HttpPeer([said(ok=False, error="invalid_auth")]) as peer,
        pytest.raises(UserError, match="invalid_auth"),
    ):
        bot(peer).probe()


def test_a_probe_of_a_webhook_sends_nothing_of_its_address():
    with HttpPeer([Reply(status=302)]) as peer:
        config = SlackConfig(url=f"{peer.url}/services/T0/B0/secret")
        found = SlackNotifier(config, Context(clock=lambda: NOON)).probe()

    assert [(request.method, request.path, request.body) for request in peer.requests] == [("HEAD", "/", b"")]
    assert found == f"{peer.url} answers"
