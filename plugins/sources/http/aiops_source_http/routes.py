"""Which requests are understood, and how their bodies are read; answered before a body is taken."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from email.message import Message

from msgspec import Struct

from aiops_source_http import otlp_json, otlp_protobuf
from aiops_source_http.bodies import is_known_charset, to_utf8
from aiops_source_http.lines import read_json, read_ndjson, read_plain
from aiops_source_http.records import Records, Refusal

_GROWTH = 4
_OTLP = "/v1/logs"
_LINES = ("/", "/ndjson")
_NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")
_PROTOBUF = ("application/x-protobuf", "application/protobuf")

Reader = Callable[[bytes], Records]


class Route(Struct, frozen=True):
    """How the body of one request is read."""

    read: Reader
    is_gzip: bool


def route(method: str, target: str, headers: Mapping[str, str], *, token: str, limit: int) -> Route:
    """Return how a request is to be read; raise Refusal when it is not."""
    path = target.partition("?")[0]
    if path not in (_OTLP, *_LINES):
        raise Refusal(f"nothing is here. Post to {_OTLP}, / or /ndjson", 404)
    if method != "POST":
        raise Refusal("post log records here", 405, {"Allow": "POST"})
    if token and not _is_authorised(headers.get("authorization", ""), token):
        raise Refusal("the bearer token is missing or wrong", 401, {"WWW-Authenticate": "Bearer"})
    if "origin" in headers:
        raise Refusal("web pages may not write here", 403)
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip", ""):
        raise Refusal("only gzip bodies are unpacked", 415, {"Accept-Encoding": "gzip"})
    return Route(_reader(path, headers.get("content-type", ""), limit), "gzip" in encoding)


def _reader(path: str, written: str, limit: int) -> Reader:
    header = Message()
    header["content-type"] = written or "text/plain"
    kind, charset = header.get_content_type(), str(header.get_param("charset") or "utf-8")
    if not is_known_charset(charset):
        raise Refusal("this charset is not read. Use UTF-8", 415)
    if path == _OTLP:
        if kind == "application/json":
            return lambda body: otlp_json.read_request(to_utf8(body, charset), _GROWTH * limit)
        if kind in _PROTOBUF:
            return lambda body: otlp_protobuf.read_request(body, _GROWTH * limit)
        raise Refusal("send application/json or application/x-protobuf", 415)
    if kind in _NDJSON or (path == "/ndjson" and not written):
        return lambda body: read_ndjson(to_utf8(body, charset))
    if kind == "application/json":
        return lambda body: read_json(to_utf8(body, charset))
    if kind == "text/plain":
        return lambda body: read_plain(to_utf8(body, charset))
    raise Refusal("send application/x-ndjson, application/json or text/plain", 415)


def _is_authorised(header: str, token: str) -> bool:
    scheme, _, given = header.partition(" ")
    is_right = hmac.compare_digest(given.strip().encode("latin-1", "replace"), token.encode("utf-8"))
    return is_right and scheme.lower() == "bearer"
