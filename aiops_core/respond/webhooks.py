"""The webhook endpoint, without a server: what came in, and what is answered.

A webhook is a hint. It names no address that is used, and no words that are read: it makes the
conversation of a request that is known look at the forge now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from msgspec import Struct

from aiops_core.pipeline import Pipeline
from aiops_core.repair import WEBHOOK_LIMIT, Knock, RequestAction, body_digest
from aiops_core.store import Store

_SOON = timedelta(seconds=1)
"""Webhooks come in bursts: one look at the forge serves them all."""


class WebhookAnswer(Struct, frozen=True):
    """What is answered to a webhook: an HTTP status, and a line that tells no secret."""

    status: int
    text: str


def receive_webhook(
    pipelines: Sequence[Pipeline],
    store: Store,
    pipeline: str,
    action: str,
    headers: Mapping[str, str],
    body: bytes,
) -> WebhookAnswer:
    """Take a webhook for an action of a pipeline; at once, as nothing is done here but to wake a job.

    ``body`` is what came over the wire, to the byte. Nothing is parsed, and nothing kept, before the
    forge is known to have sent it. May be called from any thread.
    """
    found = _action(pipelines, pipeline, action)
    if found is None:
        return WebhookAnswer(404, "no such webhook")
    knock = _genuine(found, {name.lower(): value for name, value in headers.items()}, body)
    if isinstance(knock, WebhookAnswer):
        return knock
    names = dict.fromkeys(filter(None, (knock.delivery, body_digest(body))))
    with store.transaction():
        is_new = [store.talks.is_new_delivery(pipeline, action, name) for name in names]
    if not all(is_new):
        return WebhookAnswer(200, "came before")
    if knock.place.casefold() != found.place.casefold():
        return WebhookAnswer(200, "about another repository")
    return _wake(store, pipeline, action, knock)


def _genuine(action: RequestAction[Any], headers: Mapping[str, str], body: bytes) -> Knock | WebhookAnswer:
    """Return what the forge says, or why this is not listened to."""
    if len(body) > WEBHOOK_LIMIT:
        return WebhookAnswer(413, f"the body is longer than {WEBHOOK_LIMIT} bytes")
    secret = action.config.review.webhook_secret
    knock = action.knock(headers, body, secret.get_secret_value()) if secret is not None else None
    if knock is None:
        return WebhookAnswer(401, "not signed with the secret of this webhook")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return WebhookAnswer(415, "set the webhook's content type to application/json")
    return knock


def _action(pipelines: Sequence[Pipeline], pipeline: str, action: str) -> RequestAction[Any] | None:
    built = next((one for one in pipelines if one.name == pipeline), None)
    step = built.step("actions", action) if built is not None else None
    component = step.component if step is not None else None
    return component if isinstance(component, RequestAction) else None


def _wake(store: Store, pipeline: str, action: str, knock: Knock) -> WebhookAnswer:
    start = f"talk:{pipeline}:{action}:"
    known = [job for job in store.queue.jobs("ready") if job.kind == "talk" and job.key.startswith(start)]
    keys = [job.key for job in known if job.payload["number"] == knock.number]
    due = store.clock() + _SOON
    return WebhookAnswer(
        200, "heard" if [key for key in keys if store.queue.wake(key, due)] else "nothing to do"
    )
