"""Say what an error of the client means to whoever runs the pipeline."""

from __future__ import annotations

from datetime import datetime

from elastic_transport import ApiError, ConnectionError, ConnectionTimeout, TlsError, TransportError
from elasticsearch import UnsupportedProductError

from aiops_core import AiopsError, Retry, UserError, clean, parse_retry_after

_MAY_PASS = frozenset({408, 409, 425, 429})
_MEANINGS = {
    401: "the login is refused ({}). Check 'api_key', or 'user' and 'password'",
    403: "this login may not read ({}). Give it the privilege 'read' on 'index'",
    404: "nothing is found there ({}). Check 'urls' and 'index'",
}
_REFUSED = "the search is refused ({}). Check 'query', 'index' and 'time_field'"


def verdict(where: str, error: ApiError | TransportError, now: datetime) -> AiopsError:
    """Return ``Retry`` for an error that may pass, ``UserError`` for one that will not."""
    if isinstance(error, UnsupportedProductError):
        return UserError(f"{where}: it answers, but not as Elasticsearch does. Check 'urls'")
    if isinstance(error, ApiError):
        return _of_answer(where, error, now)
    if isinstance(error, TlsError):
        return UserError(f"{where}: {_of_tls(error.message)}")
    if isinstance(error, ConnectionTimeout):
        return Retry(f"{where}: no answer in time.")
    if isinstance(error, ConnectionError):
        return Retry(f"{where}: it cannot be reached ({_short(error.message)}).")
    return Retry(f"{where}: no answer of Elasticsearch ({_short(error.message)}).")


def _of_tls(message: str) -> str:
    if "WRONG_VERSION_NUMBER" in message:
        return "it speaks no TLS. Write 'urls' with http://"
    return f"the certificate cannot be trusted ({_short(message)}). Name its authority in 'ca_file'"


def is_missing_index(error: ApiError) -> bool:
    """Tell whether there is no index yet that is called like the one asked for."""
    return error.meta.status == 404 and "index_not_found_exception" in _kinds(error)


def _of_answer(where: str, error: ApiError, now: datetime) -> AiopsError:
    status, said = error.meta.status, _said(error)
    if status >= 500 or status in _MAY_PASS or "search_context_missing_exception" in _kinds(error):
        wait = parse_retry_after(error.meta.headers.get("retry-after", "") or "", now)
        return Retry(f"{where}: not now ({said}).", after=wait)
    if "media_type_header_exception" in _kinds(error):
        return UserError(f"{where}: it is older than the client. Install 'elasticsearch<9' for version 8")
    if 300 <= status < 400:
        return UserError(f"{where}: it redirects ({status}), which is not followed. Write the final 'urls'")
    return UserError(f"{where}: {_MEANINGS.get(status, _REFUSED).format(said)}")


def _kinds(error: ApiError) -> set[str]:
    return {str(cause.get("type", "")) for cause in _causes(error)}


def _said(error: ApiError) -> str:
    """Return the status and the innermost reason given."""
    reasons = [str(cause["reason"]) for cause in _causes(error) if cause.get("reason")]
    return _short(f"{error.meta.status} {reasons[-1] if reasons else ''}".strip())


def _causes(error: ApiError) -> list[dict[str, object]]:
    """Return the error as answered and its first root cause, where there are such."""
    body = error.body if isinstance(error.body, dict) else {}
    outer = body.get("error")
    if not isinstance(outer, dict):
        return [{"reason": outer if isinstance(outer, str) else ""}]
    causes = [cause for cause in outer.get("root_cause") or [] if isinstance(cause, dict)]
    return [outer, *causes[:1]]


def _short(text: str) -> str:
    return clean(text, keep_newlines=False)[:300]
