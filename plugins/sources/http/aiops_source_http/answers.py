"""What a sender is told, in the form it asked in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from msgspec import Struct, field

from aiops_source_http import wire
from aiops_source_http.records import Records, Refusal

_JSON = "application/json"
_PROTOBUF = "application/x-protobuf"
_GRPC_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 413: 8, 429: 8, 503: 14}
_UNKNOWN = 2


class Answer(Struct, frozen=True):
    """One response."""

    status: int
    body: bytes
    kind: str = _JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def accepted(records: Records) -> Answer:
    """Say that the lines are on disk, and which ones were left out.

    Where not one could be used this is a 400, as sending it again would not help.
    """
    status = 400 if records.rejected and not records.accepted else 200
    if records.form == "lines":
        return Answer(status, _dumps(_counts(records)))
    reasons = "; ".join(f"record {fault.line}: {fault.reason}" for fault in records.faults)
    if status != 200:
        return refused(Refusal(reasons, status), is_protobuf=records.form == "otlp_protobuf")
    if records.form == "otlp_protobuf":
        return Answer(200, _partial_protobuf(records.rejected, reasons), _PROTOBUF)
    if not records.rejected:
        return Answer(200, b"{}")
    partial = {"rejectedLogRecords": str(records.rejected), "errorMessage": reasons}
    return Answer(200, _dumps({"partialSuccess": partial}))


def refused(refusal: Refusal, *, is_protobuf: bool = False) -> Answer:
    """Say why a request was not taken."""
    status, reason = refusal.status, str(refusal)
    headers = {"Retry-After": "1", **refusal.headers} if status in (429, 503) else refusal.headers
    code = _GRPC_CODES.get(status, _UNKNOWN)
    if is_protobuf:
        body = wire.field_of_number(1, code) + wire.field_of_text(2, reason)
        return Answer(status, body, _PROTOBUF, headers)
    phrase = HTTPStatus(status).phrase
    return Answer(status, _dumps({"code": code, "error": phrase, "message": reason}), headers=headers)


def _counts(records: Records) -> dict[str, object]:
    counts: dict[str, object] = {"accepted": records.accepted, "rejected": records.rejected}
    if records.faults:
        counts["errors"] = [{"line": fault.line, "reason": fault.reason} for fault in records.faults]
    return counts


def _partial_protobuf(rejected: int, reasons: str) -> bytes:
    if not rejected:
        return b""
    return wire.field_of_message(1, wire.field_of_number(1, rejected) + wire.field_of_text(2, reasons))


def _dumps(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"
