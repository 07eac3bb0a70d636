"""Slack's webhook and Slack's bot on the bench of all notifiers that post."""

import json

from aiops_notifier_slack import SlackNotifier

from aiops_core import as_json
from aiops_core.testing.chat_bench import ChatBench
from aiops_core.testing.http_peer import Reply, Request

HOOK = "T0AAAAAAA/B0BBBBBBB/q1W2e3R4t5Y6u7I8o9P0aSdF"
TOKEN = "-".join(("xoxb", "123456789012", "q1W2e3R4t5Y6u7I8o9P0aSdF"))


def texts(value) -> list[str]:
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for each in value.values() for text in texts(each)]
    return [text for each in value for text in texts(each)] if isinstance(value, list) else []


def shown(request: Request) -> str:
    return "\n".join(texts(json.loads(request.body)))


def size(request: Request) -> int:
    """Return how many characters Slack counts; its SDK writes them in ASCII."""
    return len(as_json(json.loads(request.body)).decode())


def said(**fields) -> Reply:
    return Reply(body=json.dumps(fields).encode(), headers={"Content-Type": "application/json"})


BENCHES = [
    ChatBench(
        name="slack_webhook",
        notifier=SlackNotifier,
        path=f"/services/{HOOK}",
        secrets=(HOOK, HOOK.rpartition("/")[2]),
        shown=shown,
        size=size,
        limit=16_000,
        fine=Reply(body=b"ok"),
        busy=(Reply(body=b"<html>"),),
        harmful=("@all", "https://evil"),  # the rest means nothing outside Slack's own markup
    ),
    ChatBench(
        name="slack_bot",
        notifier=SlackNotifier,
        address="base_url",
        path="/api/",
        settings={"token": TOKEN, "channel": "C1"},
        secrets=(TOKEN,),
        shown=shown,
        size=size,
        limit=16_000,
        fine=said(ok=True, channel="C1", ts="1.2"),
        refused=(said(ok=False, error="invalid_auth"), said(ok=False, error="channel_not_found")),
        busy=(said(ok=False, error="ratelimited"), said(ok=False, error="internal_error"), Reply(body=b"?")),
        harmful=("@all", "https://evil"),
    ),
]
