"""What only DingTalk has: the signature, two kinds of message, the lock-out."""

import base64
import hashlib
import hmac
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from aiops_notifier_dingtalk import DingtalkConfig, DingtalkNotifier

from aiops_core import Context, Retry, UserError, replace
from aiops_core.testing.chat_bench import FAULT, INCIDENT, NOON, REPORT, REVIEW
from aiops_core.testing.http_peer import HttpPeer, Reply

OK = Reply(body=b'{"errcode":0,"errmsg":"ok"}')
SECRET = "SEC7f3a"


def sent(report, **settings):
    with HttpPeer(usual=OK) as peer:
        config = DingtalkConfig(url=f"{peer.url}/robot/send?access_token=t", **settings)
        DingtalkNotifier(config, Context(clock=lambda: NOON)).notify(report)
    return peer.requests[0]


def test_the_address_is_signed_with_the_secret_and_the_time_in_milliseconds():
    query = parse_qs(urlsplit(sent(REPORT, secret=SECRET).path).query)

    timestamp = str(int(NOON.timestamp() * 1000))
    digest = hmac.new(SECRET.encode(), f"{timestamp}\n{SECRET}".encode(), hashlib.sha256).digest()
    assert query == {
        "access_token": ["t"],
        "timestamp": [timestamp],
        "sign": [base64.b64encode(digest).decode()],
    }


def test_without_a_secret_nothing_is_signed():
    assert sent(REPORT).path == "/robot/send?access_token=t"


def test_a_fix_comes_as_a_card_with_a_button():
    message = json.loads(sent(REPORT).body)

    assert message["msgtype"] == "actionCard"
    assert message["actionCard"]["singleTitle"] == "Review the fix"
    assert message["actionCard"]["singleURL"] == REVIEW


def test_a_report_without_a_link_comes_as_markdown():
    message = json.loads(sent(replace(REPORT, outcomes=(), change=None), prefix="[staging]").body)

    lines = message["markdown"]["text"].split("\n")
    assert message["msgtype"] == "markdown"
    assert lines[0] == "### ［staging］ An item without a price stops the checkout"
    assert lines[2] == "**critical · new · ×3**"
    assert "**Root cause**\n\nNobody checks for a missing price." in message["markdown"]["text"]
    assert "1. Skip such items.  \n2. Tell the catalogue." in message["markdown"]["text"]
    assert '> \u00a0\u00a0File "shop/cart.py", line 7, in total  \n' in message["markdown"]["text"]
    assert lines[-1] == f"aiops incidents show {INCIDENT.id}"


def test_a_prefix_holds_the_keyword_a_robot_insists_on():
    message = json.loads(sent(FAULT, prefix="告警").body)

    assert message["markdown"]["title"].startswith(
        "告警 [FAULT] shop: ".replace("[", "［").replace("]", "］")
    )


def test_names_with_underscores_and_lists_stay_readable():
    text = "__init__ of shop_cart: items[0] is <None>"

    assert (
        "＿＿init＿＿ of shop_cart: items［0］ is ＜None＞" in sent(replace(FAULT, text=text)).body.decode()
    )


def test_a_locked_out_robot_is_left_alone_for_ten_minutes():
    with HttpPeer([Reply(body=b'{"errcode":130101,"errmsg":"send too fast"}')]) as peer:
        notifier = DingtalkNotifier(DingtalkConfig(url=peer.url), Context(clock=lambda: NOON))
        with pytest.raises(Retry) as first:
            notifier.notify(REPORT)
        with pytest.raises(Retry) as second:
            notifier.notify(FAULT)

    assert str(first.value) == f"dingtalk to {peer.url}: not now (130101 send too fast)."
    assert first.value.after == 600
    assert 590 < second.value.after <= 601
    assert len(peer.requests) == 1


def test_a_refusal_names_its_cause():
    reply = Reply(body=b'{"errcode":310000,"errmsg":"sign not match"}')
    with HttpPeer([reply]) as peer, pytest.raises(UserError) as caught:
        DingtalkNotifier(DingtalkConfig(url=peer.url), Context(clock=lambda: NOON)).notify(REPORT)

    assert str(caught.value) == (
        f"dingtalk to {peer.url}: refused (310000 sign not match). Write the robot's keyword in `prefix`, "
        "check `secret` and this machine's clock, or allow its address."
    )
