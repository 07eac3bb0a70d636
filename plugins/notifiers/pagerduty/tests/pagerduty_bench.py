"""PagerDuty on the bench of all notifiers that post."""

import json

from aiops_notifier_pagerduty import PagerdutyNotifier

from aiops_core.testing.chat_bench import ChatBench
from aiops_core.testing.http_peer import Reply, Request

KEY = "R0123456789ABCDEFGHIJKLMNOPQRSTU"


def shown(request: Request) -> str:
    payload = json.loads(request.body)["payload"]
    return "\n".join([payload["summary"], payload["source"], *payload["custom_details"].values()])


BENCHES = [
    ChatBench(
        name="pagerduty",
        notifier=PagerdutyNotifier,
        path="/v2/enqueue",
        settings={"routing_key": KEY},
        secrets=(KEY,),
        shown=shown,
        size=lambda request: len(request.body),
        limit=512_000,
        fine=Reply(202, b'{"status":"success","message":"Event processed","dedup_key":"aiops/shop/v1:abc"}'),
        busy=(Reply(202, b'{"status":"maybe"}'), Reply(200, b"<html>")),
        harmful=("@all", "https://evil"),  # the rest means nothing in plain text
    )
]
