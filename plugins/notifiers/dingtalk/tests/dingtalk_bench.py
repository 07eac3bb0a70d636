"""DingTalk on the bench of all notifiers that post."""

import json

from aiops_notifier_dingtalk import DingtalkNotifier

from aiops_core.testing.chat_bench import ChatBench
from aiops_core.testing.http_peer import Reply, Request

TOKEN = "4f1c0d9be8a74e0d9bc2"


def reply(code: int, words: str) -> Reply:
    return Reply(body=json.dumps({"errcode": code, "errmsg": words}).encode())


def shown(request: Request) -> str:
    message = json.loads(request.body)
    part = message[message["msgtype"]]
    return f"{part['title']}\n{part['text']}"


BENCHES = [
    ChatBench(
        name="dingtalk",
        notifier=DingtalkNotifier,
        path=f"/robot/send?access_token={TOKEN}",
        settings={"secret": "SEC-geheim-geheim"},
        secrets=(TOKEN, "SEC-geheim-geheim"),
        shown=shown,
        size=lambda request: len(request.body),
        limit=20_000,
        fine=reply(0, "ok"),
        refused=(reply(310000, "keywords not in content"), reply(300001, "token is not exist")),
        busy=(
            reply(-1, "system busy"),
            reply(130101, "send too fast"),
            reply(77, "?"),
            Reply(body=b"<html>"),
        ),
    )
]
