"""The webhook on the bench of all notifiers that post."""

from aiops_notifier_webhook import WebhookNotifier

from aiops_core.testing.chat_bench import ChatBench
from aiops_core.testing.http_peer import Request


def shown(request: Request) -> str:
    return request.body.decode("unicode_escape")


BENCHES = [
    ChatBench(
        name="webhook",
        notifier=WebhookNotifier,
        path="/hooks/aiops",
        settings={"secret": "geheim-geheim", "headers": {"Authorization": "Bearer-4711-geheim"}},
        secrets=("geheim-geheim", "Bearer-4711-geheim"),
        shown=shown,
        size=lambda request: len(request.body),
        limit=5_000_000,
        harmful=("\x1b",),  # a program reads it
        guards_address=False,  # one's own, with or without a secret
    )
]
