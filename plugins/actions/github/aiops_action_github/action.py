"""The action: one incident, one branch, one pull request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import SecretStr, model_validator

from aiops_action_github.address import Address, parse_address
from aiops_action_github.words import WORDS
from aiops_core import Repository
from aiops_core.repair import (
    ForgeWords,
    Knock,
    RequestAction,
    RequestConfig,
    dig,
    has_github_signature,
    parsed,
)

if TYPE_CHECKING:
    from aiops_action_github.forge import GithubForge


class GithubPullRequestConfig(RequestConfig):
    """How pull requests are opened on GitHub; teams among the reviewers are written organisation/team."""

    api_url: str = ""
    """Address of the API; found from repository.url when empty (github.com, *.ghe.com, HOST/api/v3)."""
    app_id: str = ""
    """Id of a GitHub App that pushes and opens requests instead of the owner of a token."""
    app_key: SecretStr | None = None
    """Private key (PEM) of that App, as in ${file:/run/secrets/app.pem}."""

    @model_validator(mode="after")
    def _both_or_neither(self) -> GithubPullRequestConfig:
        if bool(self.app_id) != bool(self.app_key):
            raise ValueError("app_id and app_key go together: write both, or neither")
        return self


class GithubPullRequest(RequestAction[GithubPullRequestConfig]):
    """Push a verified fix to a branch and open a pull request for it on GitHub."""

    words: ClassVar[ForgeWords] = WORDS
    dialect = "github"

    @property
    def place(self) -> str:
        """Owner and name."""
        return self._address.slug

    @property
    def has_credential(self) -> bool:
        """Whether there is a token or an App."""
        return bool(self.config.app_id) or super().has_credential

    def start(self) -> None:
        """Refuse settings that cannot work."""
        super().start()
        if self.config.app_key is not None:
            from aiops_action_github.app import check_app

            check_app(self.config.app_id, self.config.app_key)

    def open_forge(self, repository: Repository) -> GithubForge:
        """Return the repository on GitHub."""
        from aiops_action_github.forge import GithubForge

        timeout, ca_file = int(self.config.timeout.total_seconds()), repository.ca_file
        token = self._app_token(timeout, ca_file) or repository.token or SecretStr("")
        return GithubForge(self._address, token, timeout=timeout, ca_file=ca_file)

    def knock(self, headers: Mapping[str, str], body: bytes, secret: str) -> Knock | None:
        """Return what a webhook signed with the secret says."""
        if not has_github_signature(headers, body, secret):
            return None
        payload = parsed(body)
        number = dig(payload, "issue", "number") or dig(payload, "pull_request", "number")
        return Knock(
            headers.get("x-github-delivery", ""),
            str(dig(payload, "repository", "full_name")),
            number if isinstance(number, int) else 0,
        )

    def _app_token(self, timeout: int, ca_file: str) -> SecretStr | None:
        if self.config.app_key is None:
            return None
        from aiops_action_github.app import installation_token

        app_id, key = self.config.app_id, self.config.app_key
        return installation_token(self._address, app_id, key, timeout=timeout, ca_file=ca_file)

    @property
    def _address(self) -> Address:
        return parse_address(self.repository.url, self.config.api_url)
