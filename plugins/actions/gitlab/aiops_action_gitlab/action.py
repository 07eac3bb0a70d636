"""The action: one incident, one branch, one merge request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import SecretStr

from aiops_action_gitlab.address import Address, parse_address
from aiops_action_gitlab.words import WORDS
from aiops_core import Repository
from aiops_core.repair import (
    ForgeWords,
    Knock,
    RequestAction,
    RequestConfig,
    dig,
    is_from_gitlab,
    parsed,
)

if TYPE_CHECKING:
    from aiops_action_gitlab.forge import GitlabForge


class GitlabMergeRequestConfig(RequestConfig):
    """How merge requests are opened on GitLab."""

    url: str = ""
    """Address of GitLab where repository.url does not tell it: under a path, or git on another host or port."""


class GitlabMergeRequest(RequestAction[GitlabMergeRequestConfig]):
    """Push a verified fix to a branch and open a merge request for it on GitLab."""

    words: ClassVar[ForgeWords] = WORDS
    dialect = "gitlab"

    @property
    def place(self) -> str:
        """Groups and name of the project."""
        return self._address.path

    def open_forge(self, repository: Repository) -> GitlabForge:
        """Return the project on GitLab."""
        from aiops_action_gitlab.forge import GitlabForge

        return GitlabForge(
            self._address,
            repository.token or SecretStr(""),
            timeout=self.config.timeout.total_seconds(),
            ca_file=repository.ca_file,
        )

    def knock(self, headers: Mapping[str, str], body: bytes, secret: str) -> Knock | None:
        """Return what a webhook says that carries the secret token, or is signed with the signing token."""
        if not is_from_gitlab(headers, body, secret, self.context.clock().timestamp()):
            return None
        payload = parsed(body)
        number = dig(payload, "merge_request", "iid") or dig(payload, "object_attributes", "iid")
        return Knock(
            headers.get("webhook-id") or headers.get("idempotency-key", ""),
            str(dig(payload, "project", "path_with_namespace")),
            number if isinstance(number, int) else 0,
        )

    @property
    def _address(self) -> Address:
        return parse_address(self.repository.url, self.config.url)
