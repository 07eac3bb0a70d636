"""Which action suits the address of a repository."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from aiops_core.catalogue import Catalogue
from aiops_core.draft.draft import Draft, Part

_FORGES = {
    "github": ("github_pull_request", "GITHUB_TOKEN", "aiops-plugin-github"),
    "gitlab": ("gitlab_merge_request", "GITLAB_TOKEN", "aiops-plugin-gitlab"),
}


def forge_action(draft: Draft, url: str, environment: Mapping[str, str], forge: str = "") -> Iterator[Part]:
    """Yield the action of the repository's forge, and the one that needs none; note the token."""
    host = urlsplit(url).hostname or ""
    forge = forge or next((name for name in _FORGES if name in host), "")
    if forge not in _FORGES:
        yield Part("local_branch", {"mode": "dry_run"}, "Pushes a branch fix/… to the repository.")
        return
    uses, variable, distribution = _FORGES[forge]
    is_installed = uses in Catalogue().names("actions")
    has_token = bool(environment.get(variable))
    (draft.repository if has_token else draft.repository_off)["token"] = f"${{env:{variable}}}"
    lacks = [] if is_installed else [f"pip install {distribution}"]
    lacks += [] if has_token else [f"set {variable} and 'repository.token'"]
    note = f"For this one: {', '.join(lacks)}." if lacks else ""
    yield Part(uses, {"mode": "dry_run"}, note, off=bool(lacks))
    if lacks:
        yield Part("local_branch", {"mode": "dry_run"}, "Pushes a branch fix/… to the repository.")
