"""Which repository of which GitHub a git address means, and where that GitHub's API is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiops_core import UserError

_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w.-]+):(?!//)(?P<path>.+)")
_NAME = re.compile(r"[\w-][\w.-]*|\.[\w.-]*[\w-][\w.-]*")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Address:
    """One repository: ``api_url`` is where its GitHub answers, ``host`` its name to people."""

    host: str
    owner: str
    name: str
    api_url: str

    @property
    def slug(self) -> str:
        """Owner and name, as GitHub writes them."""
        return f"{self.owner}/{self.name}"


def parse_address(url: str, api_url: str = "") -> Address:
    """Read a git address (https, ssh, ``git@host:owner/name.git``); UserError for anything else."""
    scheme, host, port, path = _split(url)
    parts = path.strip("/").split("/")
    parts[-1] = parts[-1].removesuffix(".git")
    if not host or len(parts) != 2 or not all(map(_NAME.fullmatch, parts)):
        raise UserError(
            f"repository.url: {_shown(url)} names no GitHub repository. "
            "Write it as https://github.com/OWNER/NAME.git or git@github.com:OWNER/NAME.git."
        )
    found = api_url.rstrip("/") or _api_url(scheme, host, port)
    _check_api_url(found)
    return Address(host, parts[0], parts[1], found)


def _split(url: str) -> tuple[str, str, str, str]:
    if "://" not in url:
        match = _SCP.fullmatch(url)
        return ("ssh", match["host"].lower(), "", match["path"]) if match else ("", "", "", "")
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "", "", "", ""
    if parts.scheme not in ("https", "http", "ssh", "git+ssh"):
        return "", "", "", ""
    return parts.scheme, parts.hostname or "", port, parts.path


def _api_url(scheme: str, host: str, port: str) -> str:
    if host in ("github.com", "www.github.com", "ssh.github.com"):
        return "https://api.github.com"
    if host.endswith(".ghe.com"):
        return f"https://api.{host}"
    web = f"{scheme}://{host}{port}" if scheme in ("http", "https") else f"https://{host}"
    return f"{web}/api/v3"


def _check_api_url(api_url: str) -> None:
    try:
        parts = urlsplit(api_url)
        usable = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    except ValueError:
        usable = False
    if not usable or not parts.hostname or parts.username or parts.password:
        raise UserError(
            f"api_url: {_shown(api_url)} would send the token unprotected or nowhere. "
            "Write the https:// address of the API, as in https://github.acme.example/api/v3."
        )


def _shown(url: str) -> str:
    """Return the address without what may be a password in it."""
    return repr(re.sub(r"//[^/]*@", "//", url))
