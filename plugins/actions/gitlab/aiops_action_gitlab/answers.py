"""python-gitlab's exceptions in our words: try later, look whether it happened, or stop."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests
from gitlab.exceptions import GitlabError, GitlabParsingError, RedirectError

from aiops_action_gitlab.connection import Throttled
from aiops_action_gitlab.words import WORDS
from aiops_core import AiopsError, Retry
from aiops_core.repair import OUTAGE_WAIT, Reason, Rejected, Unanswered, quoted

_SPOKEN: tuple[tuple[str, Reason], ...] = (
    ("open merge request already exists", "exists"),
    ("insufficient_scope", "scope"),
    ("insufficient scope", "scope"),
    ("source branch", "head"),
    ("target branch", "base"),
    ("archived", "archived"),
)
_BY_STATUS: Mapping[int, Reason] = {401: "token", 403: "permission", 404: "not-found"}


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn what python-gitlab raises into Retry, Unanswered or Rejected; none holds the token."""
    try:
        yield
    except (GitlabParsingError, RedirectError, AttributeError, KeyError, TypeError):
        raise Rejected(WORDS, where, "stranger") from None  # a page that is no answer of the API
    except GitlabError as error:
        raise _meaning(where, error) from None
    except requests.exceptions.SSLError:
        raise Rejected(WORDS, where, "certificate") from None
    except (requests.RequestException, ValueError) as error:  # ValueError: half an answer
        name = type(error).__name__
        raise Unanswered(f"{where}: GitLab cannot be reached ({name}).", after=OUTAGE_WAIT) from None
    except Throttled as error:
        raise Retry(f"{where}: {error}", after=error.after) from None


def _meaning(where: str, error: GitlabError) -> AiopsError:
    status = error.response_code or 0
    if status >= 500:
        return Unanswered(f"{where}: GitLab is out of order ({status}).", after=OUTAGE_WAIT)
    if 300 <= status < 400:
        return Rejected(WORDS, where, "stranger")
    return Rejected(WORDS, where, _reason(status, _said(error)), _said(error))


def _reason(status: int, said: str) -> Reason:
    spoken = next((reason for words, reason in _SPOKEN if words in said.lower()), None)
    return spoken or _BY_STATUS.get(status, "other")


def _said(error: GitlabError) -> str:
    """Return GitLab's own words in one bounded line: a text, a list, or lists by field."""
    try:
        answer = json.loads(error.response_body or b"")
    except ValueError:
        return ""
    if not isinstance(answer, dict):
        return ""
    message = answer.get("message", "")
    if isinstance(message, dict):
        message = [f"{name} {what}" for name, whats in message.items() for what in _listed(whats)]
    return quoted(*_listed(message), answer.get("error"), answer.get("error_description"))


def _listed(what: object) -> list[object]:
    return list(what) if isinstance(what, list) else [what]
