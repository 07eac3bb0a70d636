"""WeCom on the bench of all notifiers that post."""

import json

from aiops_notifier_wecom import WecomNotifier

from aiops_core.testing.chat_bench import ChatBench
from aiops_core.testing.http_peer import Reply, Request

KEY = "73febdcb-1b38-4d1b-a994-790f21fc8d30"


def reply(code: int, words: str) -> Reply:
    return Reply(body=json.dumps({"errcode": code, "errmsg": words}).encode())


def shown(request: Request) -> str:
    return json.loads(request.body)["markdown"]["content"]


BENCHES = [
    ChatBench(
        name="wecom",
        notifier=WecomNotifier,
        path=f"/cgi-bin/webhook/send?key={KEY}",
        secrets=(KEY,),
        shown=shown,
        size=lambda request: len(shown(request).encode()),
        limit=4_096,
        fine=reply(0, "ok"),
        refused=(reply(93000, f"invalid webhook url, key={KEY}"), reply(40058, "invalid Request Parameter")),
        busy=(reply(-1, "system busy"), reply(45009, "api freq out of limit"), Reply(body=b"{}")),
    )
]
