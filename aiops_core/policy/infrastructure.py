"""Causes that no change of code removes, recognised by what the error says of itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aiops_core.records import Incident, RaisedException
from aiops_core.text.lazy import lazy_pattern

_LONGEST = 4_000
_CAUSES = {
    "no memory": (
        r"\bout of memory: kill|\boom-?kill|\bOOMKilled\b|cannot allocate memory|\bENOMEM\b"
        r"|heap out of memory|\bOutOfMemory(?:Error|Exception)\b|\bMemoryError\b"
    ),
    "a full disk or quota": r"no space left on device|\bENOSPC\b|disk quota exceeded|\bEDQUOT\b|not enough space on the disk",
    "a file system that is read-only or broken": r"read-only file system|\bEROFS\b|input/output error",
    "DNS": (
        r"name or service not known|temporary failure in name resolution|\bEAI_AGAIN\b|\bENOTFOUND\b"
        r"|no such host\b|nodename nor servname|\bUnknownHostException\b|\bgaierror\b|name resolution failed"
        r"|could not (?:resolve host|translate host name)"
    ),
    "the network, or a service that is not there": (
        r"connection refused|\bECONNREFUSED\b|\bConnectionRefusedError\b|no route to host|\bEHOSTUNREACH\b"
        r"|network is unreachable|\bENETUNREACH\b|actively refused it|\bNoRouteToHostException\b"
    ),
    "an upstream service that answers 5xx": (
        r"\b50[234]\b[^\n]{0,40}(?:bad gateway|service unavailable|gateway time-?out)"
        r"|\b5\d\d server error\b|request failed with status code 50[234]|upstream connect error"
        r"|\b(?:unexpected |http )?status(?: code)?:? 50[234]\b"
    ),
    "a certificate": r"certificate (?:has|is) expired|\bCERT_HAS_EXPIRED\b",
}
_PATTERNS = {cause: lazy_pattern(pattern, re.IGNORECASE) for cause, pattern in _CAUSES.items()}


def infrastructure_cause(incident: Incident) -> str:
    """Return what outside the code an incident comes from, "" where nothing says so.

    The error that surfaced and what caused it speak; an error raised while another one was being
    handled is about its own code.
    """
    for said in _said(incident):
        for cause, pattern in _PATTERNS.items():
            if pattern.search(said[:_LONGEST]):
                return cause
    return ""


def _said(incident: Incident) -> Iterator[str]:
    exceptions = incident.events[0].exceptions if incident.events else ()
    if not exceptions:
        yield f"{incident.type}: {incident.message}"
    for number in _chain(exceptions):
        yield f"{exceptions[number].type}: {exceptions[number].message}"


def _chain(exceptions: tuple[RaisedException, ...]) -> list[int]:
    """Return the places of the exception that surfaced and of its causes."""
    chain = [0] if exceptions else []
    for number, error in enumerate(exceptions[1:], 1):
        if error.link == "cause" and error.parent in chain:
            chain.append(number)
    return chain
