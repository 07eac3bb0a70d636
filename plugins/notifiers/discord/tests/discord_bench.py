"""Discord on the bench of all notifiers that post."""

import json

from aiops_notifier_discord import DiscordNotifier

from aiops_core.testing.chat_bench import ChatBench
from aiops_core.testing.http_peer import Reply, Request

TOKEN = "q1W2e3R4t5Y6u7I8o9P0aSdFgHjKlZxCvBnM"


def shown(request: Request) -> str:
    [embed] = json.loads(request.body)["embeds"]
    return embed["description"]


BENCHES = [
    ChatBench(
        name="discord",
        notifier=DiscordNotifier,
        path=f"/api/webhooks/1234567890123/{TOKEN}",
        secrets=(TOKEN,),
        shown=shown,
        size=lambda request: len(shown(request).encode("utf-16-le")) // 2,
        limit=4_096,
        fine=Reply(body=b'{"id":"998877"}'),
        busy=(Reply(204), Reply(body=b"<html>")),
        harmful=("@all", "@everyone", "https://evil", "<@"),  # backslashes take the meaning from the rest
    )
]
