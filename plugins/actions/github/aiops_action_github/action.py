"""The action: one incident, one branch, one pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import SecretStr

from aiops_action_github.address import Address, parse_address
from aiops_action_github.words import WORDS
from aiops_core import Repository
from aiops_core.repair import ForgeWords, RequestAction, RequestConfig

if TYPE_CHECKING:
    from aiops_action_github.forge import GithubForge


class GithubPullRequestConfig(RequestConfig):
    """How pull requests are opened on GitHub; teams among the reviewers are written organisation/team."""

    api_url: str = ""
    """Address of the API; found from repository.url when empty (github.com, *.ghe.com, HOST/api/v3)."""


class GithubPullRequest(RequestAction[GithubPullRequestConfig]):
    """Push a verified fix to a branch and open a pull request for it on GitHub."""

    words: ClassVar[ForgeWords] = WORDS
    dialect = "github"

    @property
    def place(self) -> str:
        """Owner and name."""
        return self._address.slug

    def open_forge(self, repository: Repository) -> GithubForge:
        """Return the repository on GitHub."""
        from aiops_action_github.forge import GithubForge

        return GithubForge(
            self._address,
            repository.token or SecretStr(""),
            timeout=int(self.config.timeout.total_seconds()),
            ca_file=repository.ca_file,
        )

    @property
    def _address(self) -> Address:
        return parse_address(self.repository.url, self.config.api_url)
