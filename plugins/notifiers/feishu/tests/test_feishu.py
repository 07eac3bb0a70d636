"""What only Feishu has: the signature in the body, and the card."""

import base64
import hashlib
import hmac
import json

import pytest
from aiops_notifier_feishu import FeishuConfig, FeishuNotifier

from aiops_core import Context, UserError, replace
from aiops_core.testing.chat_bench import EVENT, INCIDENT, NOON, REPORT, REVIEW
from aiops_core.testing.http_peer import HttpPeer, Reply

OK = Reply(body=b'{"code":0}')


def told(report, reply=OK, **settings):
    with HttpPeer([reply]) as peer:
        FeishuNotifier(FeishuConfig(url=peer.url, **settings), Context(clock=lambda: NOON)).notify(report)
    return json.loads(peer.requests[0].body)


def test_the_signature_has_the_secret_in_its_key_and_no_text():
    body = told(REPORT, secret="geheim")

    timestamp = str(int(NOON.timestamp()))
    digest = hmac.new(f"{timestamp}\ngeheim".encode(), digestmod=hashlib.sha256).digest()
    assert (body["timestamp"], body["sign"]) == (timestamp, base64.b64encode(digest).decode())


def test_without_a_secret_nothing_is_signed():
    assert set(told(REPORT)) == {"msg_type", "card"}


def test_a_card_has_a_coloured_title_and_a_button():
    card = told(replace(REPORT, severity="warning"), prefix="告警")["card"]

    [action] = [element for element in card["elements"] if element["tag"] == "action"]
    assert card["header"] == {
        "title": {"tag": "plain_text", "content": "告警 An item without a price stops the checkout"},
        "template": "orange",
    }
    assert action["actions"][0]["url"] == REVIEW


def test_only_our_own_words_are_markup():
    event = replace(EVENT, block="**x** <at id=all></at>")
    incident = replace(INCIDENT, title="**x**", message="**x**", events=(event,))
    card = told(replace(REPORT, title="**x**", text="**x**", incident=incident))["card"]

    markup = [
        element["text"]["content"]
        for element in card["elements"]
        if element["tag"] == "div" and element["text"]["tag"] == "lark_md"
    ]
    assert "**x**" not in markup
    assert "**Root cause**" in markup


@pytest.mark.parametrize(
    ("code", "words", "remedy"),
    [
        (19021, "sign match fail", "Check `secret` and this machine's clock."),
        (19024, "Key Words Not Found", "Write the robot's keyword in `prefix`."),
        (19022, "Ip Not Allowed", "Allow this machine's address in the robot's settings."),
    ],
)
def test_a_refusal_names_its_cause(code, words, remedy):
    with pytest.raises(UserError) as caught:
        told(REPORT, Reply(body=json.dumps({"code": code, "msg": words}).encode()))

    assert str(caught.value).endswith(f": refused ({code} {words}). {remedy}")
