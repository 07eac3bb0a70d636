"""The address of a repository, checked, and the credential that opens it."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct
from pydantic import SecretStr

from aiops_core.repository.errors import GitError
from aiops_core.settings import Repository

_SCHEMES = ("https", "http", "ssh", "file")
_SCP = re.compile(r"(?:[\w.-]+@)?[\w.-]+:(?!//)\S+")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_USERS = (("github", "x-access-token"), ("bitbucket", "x-token-auth"))
_DEFAULT_USER = "oauth2"


class Remote(Struct, frozen=True):
    """Where git fetches from and pushes to; the address never holds a credential."""

    url: str
    scheme: str
    token: SecretStr | None = None
    ca_file: str = ""

    @property
    def header(self) -> str:
        """The HTTP header that opens the remote, "" where none is needed."""
        if self.token is None or self.scheme not in ("http", "https"):
            return ""
        host = urlsplit(self.url).hostname or ""
        user = next((user for part, user in _USERS if part in host), _DEFAULT_USER)
        pair = f"{user}:{self.token.get_secret_value()}"
        return f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}"

    def scrub(self, text: str) -> str:
        """Return the text without the token in any form git might print it."""
        if self.token is not None and (token := self.token.get_secret_value()):
            text = text.replace(token, "***").replace(self.header.rpartition(" ")[2] or token, "***")
        return re.sub(r"(?<=://)[^/\s@]+@", "", text)


def open_remote(repository: Repository) -> Remote:
    """Return the configured remote; raise GitError for an address that cannot be used."""
    url = repository.url
    scheme = _scheme(url)
    if scheme == "file" and "://" not in url:
        url = str(Path(url).expanduser().absolute())
    ca_file = str(Path(repository.ca_file).expanduser().absolute()) if repository.ca_file else ""
    return Remote(url, scheme, repository.token, ca_file)


def _scheme(url: str) -> str:
    if not url or url.startswith("-") or "::" in url or _CONTROL.search(url.replace(" ", "")):
        raise _unusable("the address is not one git should see", "Write an https or ssh address, or a path")
    if "://" not in url:
        return "ssh" if _SCP.fullmatch(url) and not Path(url).exists() else "file"
    parts = urlsplit(url)
    if parts.password or (parts.username and parts.scheme != "ssh"):
        raise _unusable(
            "the address holds credentials, which would show in process lists and logs",
            'Write the bare address and put the token under token:, as in "${env:GIT_TOKEN}"',
        )
    if parts.scheme not in _SCHEMES:
        raise _unusable(
            f"{parts.scheme}:// is not supported", "Write an https, ssh or file address, or a path"
        )
    return parts.scheme


def _unusable(what: str, remedy: str) -> GitError:
    return GitError(f"repository.url: {what}. {remedy}.", kind="url")
