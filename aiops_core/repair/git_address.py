"""The address of a repository taken apart, whichever way people write it."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from aiops_core.errors import UserError

_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w.-]+):(?!//)(?P<path>.+)")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class GitAddress(NamedTuple):
    """``port`` with its colon, ``path`` without the slashes round it and without ``.git``."""

    scheme: str
    host: str
    port: str
    path: str

    @property
    def web(self) -> str:
        """Where its forge most likely answers: the same place over HTTP, the host over HTTPS for ssh."""
        return f"{self.scheme}://{self._name}{self.port}" if self._is_http else f"https://{self._name}"

    @property
    def _is_http(self) -> bool:
        return self.scheme in ("http", "https")

    @property
    def _name(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def parse_git_address(url: str) -> GitAddress | None:
    """Take an address apart (https, http, ssh, ``git@host:path``); None for anything else."""
    if "://" not in url:
        match = _SCP.fullmatch(url)
        return GitAddress("ssh", match["host"].lower(), "", _bare(match["path"])) if match else None
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if parts.scheme not in ("https", "http", "ssh", "git+ssh") or not parts.hostname:
        return None
    return GitAddress(parts.scheme.removeprefix("git+"), parts.hostname, port, _bare(parts.path))


def check_api_address(setting: str, url: str, example: str) -> None:
    """Refuse an address of an API to which the token would travel unprotected, or nowhere."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    except ValueError:
        usable = False
    if not usable or not parts.hostname or parts.username or parts.password:
        raise UserError(
            f"{setting}: {shown(url)} would send the token unprotected or nowhere. "
            f"Write the https:// address of the API, as in {example}."
        )


def shown(url: str) -> str:
    """Return the address without what may be a password in it."""
    return repr(re.sub(r"//[^/]*@", "//", url))


def _bare(path: str) -> str:
    return path.strip("/").removesuffix(".git")
