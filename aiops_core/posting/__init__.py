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
from aiops_core.posting.vetting import Network, network_of

__all__ = [
    "ChatNotifierConfig",
    "HttpAnswer",
    "HttpNotifier",
    "HttpNotifierConfig",
    "HttpRequest",
    "Network",
    "Pace",
    "Remedy",
    "address_of",
    "as_json",
    "http_post",
    "http_reach",
    "network_of",
    "origin_of",
    "trouble_of",
]
