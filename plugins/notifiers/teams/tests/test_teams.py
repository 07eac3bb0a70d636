"""What only Teams has: the Adaptive Card."""

import json

from aiops_notifier_teams import TeamsConfig, TeamsNotifier

from aiops_core import Context, replace
from aiops_core.testing.chat_bench import EVENT, INCIDENT, NOON, REPORT, REVIEW
from aiops_core.testing.http_peer import HttpPeer


def told(report, **settings):
    with HttpPeer() as peer:
        TeamsNotifier(TeamsConfig(url=peer.url, **settings), Context(clock=lambda: NOON)).notify(report)
    body = json.loads(peer.requests[0].body)
    [attachment] = body["attachments"]
    assert (body["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    return attachment["content"]


def test_a_report_is_a_card_with_a_button():
    card = told(REPORT, prefix="[staging]")

    [title] = card["body"][0]["inlines"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert title == {
        "type": "TextRun",
        "text": "[staging] An item without a price stops the checkout",
        "size": "large",
        "weight": "bolder",
        "color": "attention",
    }
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Review the fix", "url": REVIEW}]


def test_text_is_only_ever_a_text_run():
    event = replace(EVENT, block="**bold**\n<at>all</at>\n\n\tx")
    card = told(replace(REPORT, title="**bold**", incident=replace(INCIDENT, events=(event,))))

    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert "entities" not in card["msteams"]
    assert [block["inlines"][0]["text"] for block in card["body"]][-4:-1] == [
        "**bold**",
        "<at>all</at>",
        "    x",
    ]


def test_lines_of_the_log_stand_below_each_other():
    card = told(REPORT)

    log = [block for block in card["body"] if block["inlines"][0].get("fontType") == "monospace"]
    assert [block.get("spacing") for block in log] == [None, "none", "none"]
