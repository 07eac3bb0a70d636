"""What only WeCom has: its Markdown and the words of its refusals."""

import json

import pytest
from aiops_notifier_wecom import WecomConfig, WecomNotifier

from aiops_core import Context, Retry, UserError, replace
from aiops_core.testing.chat_bench import FAULT, NOON, REPORT, REVIEW
from aiops_core.testing.http_peer import HttpPeer, Reply

OK = Reply(body=b'{"errcode":0}')


def told(report, reply=OK, **settings):
    with HttpPeer([reply]) as peer:
        config = WecomConfig(url=f"{peer.url}/send?key=k", **settings)
        WecomNotifier(config, Context(clock=lambda: NOON)).notify(report)
    return json.loads(peer.requests[0].body)


def test_a_report_is_markdown_with_a_link_to_the_fix():
    text = told(replace(REPORT, language="zh"), prefix="[测试]")["markdown"]["content"]

    assert text.startswith(
        "### ［测试］ An item without a price stops the checkout\n\n**严重 · 新问题 · ×3**"
    )
    assert f"[审查修复]({REVIEW})" in text
    assert "**根本原因**\n\nNobody checks for a missing price." in text


def test_a_user_of_the_chat_cannot_be_called_by_a_log():
    text = told(replace(FAULT, text="<@zhangsan> <font color='warning'>x</font>"))["markdown"]["content"]

    assert "＜＠zhangsan＞ ＜font color='warning'＞x＜/font＞" in text


def test_a_refusal_names_its_cause():
    with pytest.raises(UserError) as caught:
        told(REPORT, Reply(body=b'{"errcode":93000,"errmsg":"invalid webhook url"}'))

    assert str(caught.value).endswith(
        ": refused (93000 invalid webhook url). Copy the robot's address again: the key in it is not known, "
        "or the robot is gone."
    )


def test_too_fast_waits_a_minute():
    with pytest.raises(Retry) as caught:
        told(REPORT, Reply(body=b'{"errcode":45009,"errmsg":"api freq out of limit"}'))

    assert caught.value.after == 60
