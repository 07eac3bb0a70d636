"""Teams on the bench of all notifiers that post."""

import json

from aiops_notifier_teams import TeamsNotifier

from aiops_core.testing.chat_bench import ChatBench
from aiops_core.testing.http_peer import Reply, Request

SIGNATURE = "aB3xZ9_kQ7wLm2pR5tY8uN1vC4eF6gH"
FAILED = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error "


def shown(request: Request) -> str:
    [attachment] = json.loads(request.body)["attachments"]
    runs = [run for block in attachment["content"]["body"] for run in block["inlines"]]
    return "\n".join(
        [run["text"] for run in runs] + [each["title"] for each in attachment["content"]["actions"]]
    )


BENCHES = [
    ChatBench(
        name="teams",
        notifier=TeamsNotifier,
        path=f"/workflows/77aa4d5b9a410c3f/triggers/manual/paths/invoke?sig={SIGNATURE}",
        secrets=(SIGNATURE, "77aa4d5b9a410c3f"),
        shown=shown,
        size=lambda request: len(request.body),
        limit=28_000,
        fine=Reply(202),
        refused=(Reply(200, f"{FAILED}413 with ContextId x".encode()), Reply(200, f"{FAILED}404".encode())),
        busy=(Reply(200, f"{FAILED}429 with ContextId x".encode()), Reply(200, f"{FAILED}503".encode())),
        harmful=("@all", "https://evil"),  # the rest means nothing in a text run
    )
]
