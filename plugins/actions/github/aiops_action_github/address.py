"""Which repository of which GitHub a git address means, and where that GitHub's API is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiops_core import UserError
from aiops_core.repair import GitAddress, check_api_address, parse_git_address, shown

_NAME = re.compile(r"[\w-][\w.-]*|\.[\w.-]*[\w-][\w.-]*")


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
    address = parse_git_address(url)
    names = address.path.split("/") if address is not None else []
    if address is None or len(names) != 2 or not all(map(_NAME.fullmatch, names)):
        raise UserError(
            f"repository.url: {shown(url)} names no GitHub repository. "
            "Write it as https://github.com/OWNER/NAME.git or git@github.com:OWNER/NAME.git."
        )
    found = api_url.rstrip("/") or _api_url(address)
    check_api_address("api_url", found, "https://github.acme.example/api/v3")
    return Address(address.host, names[0], names[1], found)


def _api_url(address: GitAddress) -> str:
    if address.host in ("github.com", "www.github.com", "ssh.github.com"):
        return "https://api.github.com"
    if address.host.endswith(".ghe.com"):
        return f"https://api.{address.host}"
    return f"{address.web}/api/v3"
