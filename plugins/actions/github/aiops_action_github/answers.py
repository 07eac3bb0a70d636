"""PyGithub's exceptions in our words: try later, look whether it happened, or stop."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests
from github import BadAttributeException, GithubException

from aiops_action_github.troubles import Reason, Rejected, Unanswered
from aiops_core import AiopsError, Retry

_SPOKEN: tuple[tuple[str, Reason], ...] = (
    ("pull request already exists", "exists"),
    ("no commits between", "no-commits"),
    ("no history in common", "no-history"),
    ("draft pull requests are not supported", "draft"),
    ("archived", "archived"),
)
_BY_STATUS: Mapping[int, Reason] = {401: "token", 403: "permission", 404: "not-found", 410: "not-found"}
_SECONDARY_WAIT = 60.0
_OUTAGE_WAIT = 30.0


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn what PyGithub raises into Retry, Unanswered or Rejected; none holds the token."""
    try:
        yield
    except GithubException as error:
        raise _meaning(where, error) from None
    except requests.exceptions.SSLError:
        raise Rejected(where, "certificate") from None
    except (requests.RequestException, ValueError) as error:  # ValueError: half an answer
        name = type(error).__name__
        raise Unanswered(f"{where}: GitHub cannot be reached ({name}).", after=_OUTAGE_WAIT) from None
    except (AssertionError, RuntimeError, BadAttributeException):  # PyGithub's guards against such answers
        raise Rejected(where, "stranger") from None


def _meaning(where: str, error: GithubException) -> AiopsError:
    headers = error.headers or {}
    wait = _wait(error.status, headers, _said(error))
    if wait is not None:
        return Retry(f"{where}: GitHub's rate limit is reached.", after=wait)
    if error.status >= 500:
        return Unanswered(f"{where}: GitHub is out of order ({error.status}).", after=_OUTAGE_WAIT)
    return Rejected(where, _reason(error), _said(error))


def _wait(status: int, headers: Mapping[str, str], said: str) -> float | None:
    """Return for how many seconds a rate limit asks to wait, None when this is none."""
    if status not in (403, 429):
        return None
    if headers.get("retry-after", "").isdigit():
        return float(headers["retry-after"])
    if headers.get("x-ratelimit-remaining") == "0":
        return max(float(headers.get("x-ratelimit-reset", 0)) - time.time(), 1.0)
    return _SECONDARY_WAIT if status == 429 or "rate limit" in said.lower() else None


def _reason(error: GithubException) -> Reason:
    said = _said(error).lower()
    spoken = next((reason for words, reason in _SPOKEN if words in said), None)
    if spoken is not None:
        return spoken
    for fault in _faults(error):
        if fault.get("field") in ("head", "base"):
            return "head" if fault["field"] == "head" else "base"
    return _BY_STATUS.get(error.status, "other")


def _faults(error: GithubException) -> list[Mapping[str, object]]:
    faults = error.data.get("errors", []) if isinstance(error.data, dict) else []
    return [fault for fault in faults if isinstance(fault, dict)] if isinstance(faults, list) else []


def _said(error: GithubException) -> str:
    """Return GitHub's own words in one bounded line."""
    message = error.data.get("message", "") if isinstance(error.data, dict) else ""
    words = [str(message), *(str(fault.get("message", "")) for fault in _faults(error))]
    printable = "".join(c if c.isprintable() else " " for c in " – ".join(filter(None, words)))
    return " ".join(printable.split())[:300]
