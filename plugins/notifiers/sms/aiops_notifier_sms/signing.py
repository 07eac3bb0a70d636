"""How services want to know who asks: a login, or a signature over the request."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Signer:
    """Who asks, for what: the account's key and the action of the service's API."""

    key_id: str
    key_secret: str = field(repr=False)
    action: str
    version: str
    region: str


def basic(signer: Signer) -> Mapping[str, str]:
    """Return the login as HTTP knows it: Twilio and many more."""
    login = base64.b64encode(f"{signer.key_id}:{signer.key_secret}".encode()).decode()
    return {"Authorization": f"Basic {login}"}


def aliyun(
    signer: Signer, url: str, kind: str, body: bytes, now: datetime, nonce: str = ""
) -> Mapping[str, str]:
    """Return the headers of an ``ACS3-HMAC-SHA256`` signature."""
    parts = urlsplit(url)
    signed = {
        "content-type": kind,
        "host": parts.netloc,
        "x-acs-action": signer.action,
        "x-acs-content-sha256": _digest(body),
        "x-acs-date": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "x-acs-signature-nonce": nonce or secrets.token_hex(16),
        "x-acs-version": signer.version,
    }
    request = _canonical(parts.path, signed, signed["x-acs-content-sha256"])
    to_sign = f"ACS3-HMAC-SHA256\n{_digest(request.encode())}"
    signature = hmac.new(signer.key_secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    proof = (
        f"ACS3-HMAC-SHA256 Credential={signer.key_id},SignedHeaders={';'.join(signed)},Signature={signature}"
    )
    return {**signed, "Authorization": proof}


def tencent(signer: Signer, url: str, kind: str, body: bytes, now: datetime) -> Mapping[str, str]:
    """Return the headers of a ``TC3-HMAC-SHA256`` signature."""
    parts = urlsplit(url)
    timestamp, date = int(now.timestamp()), f"{now.astimezone(UTC):%Y-%m-%d}"
    signed = {"content-type": kind, "host": parts.netloc, "x-tc-action": signer.action.lower()}
    request = _canonical(parts.path, signed, _digest(body))
    scope = f"{date}/sms/tc3_request"
    to_sign = f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{_digest(request.encode())}"
    key = f"TC3{signer.key_secret}".encode()
    for step in (date, "sms", "tc3_request"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    proof = (
        f"TC3-HMAC-SHA256 Credential={signer.key_id}/{scope}, SignedHeaders={';'.join(signed)}, "
        f"Signature={signature}"
    )
    return {
        "content-type": kind,
        "host": parts.netloc,
        "X-TC-Action": signer.action,
        "X-TC-Version": signer.version,
        "X-TC-Region": signer.region,
        "X-TC-Timestamp": str(timestamp),
        "Authorization": proof,
    }


def _canonical(path: str, headers: Mapping[str, str], digest: str) -> str:
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    return "\n".join(("POST", path or "/", "", lines, ";".join(headers), digest))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
