"""PyGithub's exceptions in our words: try later, look whether it happened, or stop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests
from github import BadAttributeException, GithubException

from aiops_action_github.words import WORDS
from aiops_core import AiopsError, Retry
from aiops_core.repair import OUTAGE_WAIT, Reason, Rejected, Unanswered, limit_wait, quoted

_SPOKEN: tuple[tuple[str, Reason], ...] = (
    ("pull request already exists", "exists"),
    ("no commits between", "no-commits"),
    ("no history in common", "no-history"),
    ("draft pull requests are not supported", "draft"),
    ("archived", "archived"),
    ("not granted to this installation", "permission"),
)
_BY_STATUS: Mapping[int, Reason] = {401: "token", 403: "permission", 404: "not-found", 410: "not-found"}


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn what PyGithub raises into Retry, Unanswered or Rejected; none holds the token."""
    try:
        yield
    except GithubException as error:
        raise _meaning(where, error) from None
    except requests.exceptions.SSLError:
        raise Rejected(WORDS, where, "certificate") from None
    except (requests.RequestException, ValueError) as error:  # ValueError: half an answer
        name = type(error).__name__
        raise Unanswered(f"{where}: GitHub cannot be reached ({name}).", after=OUTAGE_WAIT) from None
    except (AssertionError, RuntimeError, BadAttributeException):  # PyGithub's guards against such answers
        raise Rejected(WORDS, where, "stranger") from None


def _meaning(where: str, error: GithubException) -> AiopsError:
    wait = limit_wait(error.status, error.headers or {}, _said(error))
    if wait is not None:
        return Retry(f"{where}: GitHub's rate limit is reached.", after=wait)
    if error.status >= 500:
        return Unanswered(f"{where}: GitHub is out of order ({error.status}).", after=OUTAGE_WAIT)
    return Rejected(WORDS, where, _reason(error), _said(error))


def _reason(error: GithubException) -> Reason:
    said = _said(error).lower()
    spoken = next((reason for words, reason in _SPOKEN if words in said), None)
    if spoken is not None:
        return spoken
    for fault in _faults(error):
        if fault.get("field") in ("head", "base"):
            return "head" if fault["field"] == "head" else "base"
    if error.status in (403, 404) and _lacks_scope(error.headers or {}):
        return "scope"
    return _BY_STATUS.get(error.status, "other")


def _faults(error: GithubException) -> list[Mapping[str, object]]:
    faults = error.data.get("errors", []) if isinstance(error.data, dict) else []
    return [fault for fault in faults if isinstance(fault, dict)] if isinstance(faults, list) else []


def _said(error: GithubException) -> str:
    """Return GitHub's own words in one bounded line."""
    message = error.data.get("message", "") if isinstance(error.data, dict) else ""
    return quoted(message, *(fault.get("message", "") for fault in _faults(error)))


def _lacks_scope(headers: Mapping[str, str]) -> bool:
    """Say whether a classic token has none of the scopes that would do; other tokens name none."""
    had, wanted = (
        {name.strip() for name in headers.get(f"x-{what}oauth-scopes", "").split(",")} - {""}
        for what in ("", "accepted-")
    )
    return "x-oauth-scopes" in headers and bool(wanted) and not had & wanted
