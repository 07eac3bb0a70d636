"""Feishu on the bench of all notifiers that post."""

import json

from aiops_notifier_feishu import FeishuNotifier

from aiops_core.testing.chat_bench import ChatBench
from aiops_core.testing.http_peer import Reply, Request

TOKEN = "b6f2a0c4-77aa-4d5b-9a41-0c3f5c2b1d9e"


def reply(code: int, words: str) -> Reply:
    return Reply(body=json.dumps({"code": code, "msg": words}).encode())


def shown(request: Request) -> str:
    """Return every text of the card."""

    def texts(value):
        if isinstance(value, dict):
            yield from [value["content"]] if "content" in value else []
            yield from (text for each in value.values() for text in texts(each))
        elif isinstance(value, list):
            yield from (text for each in value for text in texts(each))

    return "\n".join(texts(json.loads(request.body)["card"]))


BENCHES = [
    ChatBench(
        name="feishu",
        notifier=FeishuNotifier,
        path=f"/open-apis/bot/v2/hook/{TOKEN}",
        settings={"secret": "geheim-geheim"},
        secrets=(TOKEN, "geheim-geheim"),
        shown=shown,
        size=lambda request: len(request.body),
        limit=20_000,
        fine=Reply(body=b'{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}'),
        refused=(reply(19021, "sign match fail"), reply(19024, "Key Words Not Found")),
        busy=(reply(9499, "too many request"), reply(11232, "frequency limited"), reply(7, "?"), Reply()),
        harmful=("@all", "https://evil", "<at "),  # the rest means nothing in plain text
    )
]
