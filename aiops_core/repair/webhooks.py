"""Whether a webhook comes from the forge: signatures over the raw bytes, nothing parsed before."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping

from msgspec import Struct

from aiops_core.records import Json

WEBHOOK_LIMIT = 1 << 20
"""Most bytes of a webhook's body."""
MAX_SKEW = 300.0
"""Seconds a signed webhook may be away from this clock."""
_SIGNING = "whsec_"


class Knock(Struct, frozen=True):
    """What a genuine webhook says: something happened on a request of a repository.

    ``place`` and ``number`` are compared with what is known here, and never used as an address.
    """

    delivery: str
    """Names the delivery; one that comes again has the same name."""
    place: str = ""
    number: int = 0


def has_github_signature(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Return whether GitHub signed these bytes with the secret (X-Hub-Signature-256)."""
    signature = headers.get("x-hub-signature-256", "")
    wanted = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return bool(secret) and hmac.compare_digest(signature.encode("utf-8", "replace"), wanted.encode())


def is_from_gitlab(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> bool:
    """Return whether GitLab sent these bytes.

    With a signing token (``whsec_…``) the signature counts alone, and no older than five minutes;
    any other secret is the secret token that GitLab sends along.
    """
    if secret.startswith(_SIGNING):
        return _has_standard_signature(headers, body, secret.removeprefix(_SIGNING), now)
    token = headers.get("x-gitlab-token", "")
    return bool(secret) and hmac.compare_digest(token.encode("utf-8", "replace"), secret.encode())


def _has_standard_signature(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> bool:
    """Return whether one of the signatures is that of ``<id>.<time>.<body>``."""
    id_, moment = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id_ or not (moment.isascii() and moment.isdigit()) or abs(now - int(moment)) > MAX_SKEW:
        return False
    try:
        key = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        return False
    signed = f"{id_}.{moment}.".encode("utf-8", "replace") + body
    wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = headers.get("webhook-signature", "").split(" ")
    return bool(key) and any(
        hmac.compare_digest(one.encode("utf-8", "replace"), wanted.encode()) for one in given
    )


def body_digest(body: bytes) -> str:
    """Return a name for a delivery that has none."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()


def parsed(body: bytes) -> Mapping[str, Json]:
    """Return the JSON object of a body, {} where it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def dig(payload: Json, *path: str) -> Json:
    """Return what stands at a path of keys, None where nothing does."""
    for key in path:
        payload = payload.get(key) if isinstance(payload, dict) else None
    return payload
