"""Which project of which GitLab a git address means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiops_core import UserError
from aiops_core.repair import GitAddress, check_api_address, parse_git_address, shown

_NAME = re.compile(r"[A-Za-z0-9_][\w.-]*")
_SSH_HOSTS = {"altssh.gitlab.com": "gitlab.com"}


@dataclass(frozen=True, slots=True)
class Address:
    """One project: ``url`` is where its GitLab answers, ``path`` its groups and its name."""

    url: str
    path: str


def parse_address(url: str, base_url: str = "") -> Address:
    """Read a git address (https, ssh, ``git@host:group/project.git``); UserError for anything else.

    ``base_url`` is needed where GitLab lives under a path or where git has another host or port.
    """
    address = parse_git_address(url)
    found = base_url.rstrip("/") or (_web(address) if address is not None else "")
    if found:
        check_api_address("url", found, "https://gitlab.acme.example")
    path = _project(address, found) if address is not None else ""
    names = path.split("/")
    if len(names) < 2 or not all(map(_NAME.fullmatch, names)):
        raise UserError(
            f"repository.url: {shown(url)} names no GitLab project. Write it as "
            "https://gitlab.com/GROUP/PROJECT.git or git@gitlab.com:GROUP/SUBGROUP/PROJECT.git."
        )
    return Address(found, path)


def _web(address: GitAddress) -> str:
    return address._replace(host=_SSH_HOSTS.get(address.host, address.host)).web


def _project(address: GitAddress, base_url: str) -> str:
    """Return groups and name: over HTTP without the path GitLab itself lives under."""
    prefix = urlsplit(base_url).path.strip("/")
    if prefix and address.scheme in ("http", "https"):
        return address.path.removeprefix(f"{prefix}/")
    return address.path
