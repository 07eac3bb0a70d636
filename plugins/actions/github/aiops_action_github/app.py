"""A GitHub App instead of a token: sign with its key, get a token for this repository for an hour."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from github import Auth, GithubIntegration
from github.GithubException import UnknownObjectException
from pydantic import SecretStr

from aiops_action_github.address import Address
from aiops_action_github.answers import translated
from aiops_action_github.words import WORDS
from aiops_core import UserError
from aiops_core.repair import Rejected

_PERMISSIONS: Mapping[str, str] = {"contents": "write", "pull_requests": "write", "metadata": "read"}
"""All that is asked for, whatever more the App may: no workflows, no administration."""


def check_app(app_id: str, key: SecretStr) -> None:
    """Refuse a key that signs nothing."""
    try:
        _ = Auth.AppAuth(app_id, key.get_secret_value()).token
    except Exception as error:  # noqa: BLE001 - the libraries below name dozens, none of them public
        kind = type(error).__name__
        raise UserError(
            f"app_key: it is no private key of a GitHub App ({kind}). Write app_key: "
            "${file:PATH}, with the path of the PEM file that GitHub gave when the key was made."
        ) from None


def installation_token(
    address: Address, app_id: str, key: SecretStr, *, timeout: int = 30, ca_file: str = ""
) -> SecretStr:
    """Return a token for the App's installation on the repository; it may write code and requests only."""
    logging.getLogger("github.Requester").addFilter(_holds_no_token)
    with translated(address.slug):
        github = GithubIntegration(
            auth=Auth.AppAuth(app_id, key.get_secret_value()),
            base_url=address.api_url,
            timeout=timeout,
            verify=ca_file or True,
            retry=None,
            seconds_between_requests=0,
            seconds_between_writes=0,
        )
        try:
            installation = github.get_repo_installation(address.owner, address.name)
        except UnknownObjectException:
            said = "the App is not installed on this repository"
            raise Rejected(WORDS, address.slug, "not-found", said) from None
        token = github.get_access_token(installation.id, permissions=dict(_PERMISSIONS)).token
        github.close()
    return SecretStr(token)


def _holds_no_token(record: logging.LogRecord) -> bool:
    """Keep answers that hold a token out of PyGithub's log, which tells them whole when asked for details."""
    return "/access_tokens" not in record.getMessage()
