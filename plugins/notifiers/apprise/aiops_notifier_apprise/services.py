"""Apprise's services, made from addresses that are secrets, and only those that keep our promises."""

from __future__ import annotations

import logging
from ipaddress import ip_address
from urllib.parse import urlsplit

from apprise import Apprise, AppriseAsset, NotifyBase

from aiops_core import UserError


def service_of(place: str, url: str, timeout: float) -> NotifyBase:
    """Return the service; raise UserError, which never shows the address, when it may not be used."""
    for name in ("apprise", "urllib3"):  # they log addresses, tokens and all
        logging.getLogger(name).setLevel(logging.CRITICAL)
    schema = url.partition("://")[0].lower()
    if schema.startswith("mailto"):
        raise _mail(place)
    asset = AppriseAsset(app_id="aiops-core", app_desc="aiops-core", http_redirects=False, async_mode=False)
    made = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if not isinstance(made, NotifyBase):
        raise UserError(
            f"{place}: no address Apprise understands. Look its form up in Apprise's list of services."
        )
    if "apprise.plugins.email" in type(made).__module__:
        raise _mail(place)
    if not made.verify_certificate:
        raise UserError(f"{place}: verify=no trusts every certificate. Leave it out.")
    if made.redirects:
        raise UserError(f"{place}: redirect=yes may lead the message elsewhere. Leave it out.")
    if schema in _names(made.protocol) and _names(made.secure_protocol) and not _is_near(url):
        raise UserError(
            f"{place}: its secret would travel in clear text. Write {_names(made.secure_protocol)[0]}://"
        )
    made.socket_connect_timeout = made.socket_read_timeout = timeout
    return made


def name_of(service: NotifyBase) -> str:
    """Return what people call the service."""
    return str(service.service_name)


def _mail(place: str) -> UserError:
    return UserError(
        f"{place}: mail is not sent through Apprise, which may send it in clear text. Use the notifier `email`."
    )


def _names(schemas: object) -> tuple[str, ...]:
    if isinstance(schemas, str):
        return (schemas,)
    return tuple(map(str, schemas)) if isinstance(schemas, tuple | list | set | frozenset) else ()


def _is_near(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
