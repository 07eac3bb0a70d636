"""Tell people over HTTP: what notifiers share that post one message a report to one address."""

from aiops_core.posting.exchange import (
    HttpAnswer,
    HttpRequest,
    address_of,
    as_json,
    http_post,
    http_reach,
    origin_of,
    trouble_of,
)
from aiops_core.posting.notifier import ChatNotifierConfig, HttpNotifier, HttpNotifierConfig, Remedy
from aiops_core.posting.pace import Pace

__all__ = [
    "ChatNotifierConfig",
    "HttpAnswer",
    "HttpNotifier",
    "HttpNotifierConfig",
    "HttpRequest",
    "Pace",
    "Remedy",
    "address_of",
    "as_json",
    "http_post",
    "http_reach",
    "origin_of",
    "trouble_of",
]
