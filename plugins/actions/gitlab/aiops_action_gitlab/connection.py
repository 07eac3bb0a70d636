"""The HTTP below python-gitlab: no waiting of its own, and no token to another host."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from gitlab import Gitlab
from gitlab._backends import DefaultBackend
from pydantic import SecretStr

from aiops_core import Retry
from aiops_core.repair import limit_wait

_PER_PAGE = 100


class Throttled(Retry):
    """Ask for another try because of a rate limit."""


class _HomeSession(requests.Session):
    """Follow a redirect only to where it came from: the token travels in a header of GitLab's own."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return where the answer leads, None for another host."""
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        here, there = urlsplit(resp.url), urlsplit(urljoin(resp.url, target))
        return target if (here.scheme, here.netloc) == (there.scheme, there.netloc) else None


class _HostWaits(DefaultBackend):
    """Leave the waiting for a rate limit to the host, who does it durably."""

    def http_request(self, *args: Any, **kwargs: Any) -> Any:  # as the base class has it
        """Make the request; raise Throttled when GitLab asks to come later."""
        answer = super().http_request(*args, **kwargs)
        wait = limit_wait(answer.status_code, answer.headers) if answer.status_code == 429 else None
        if wait is not None:
            raise Throttled("GitLab's rate limit is reached.", after=wait)
        return answer


def connect(url: str, token: SecretStr, *, timeout: float, ca_file: str = "") -> Gitlab:
    """Return a connection that neither waits nor tries again by itself."""
    return Gitlab(
        url,
        private_token=token.get_secret_value(),
        ssl_verify=ca_file or True,
        timeout=timeout,
        per_page=_PER_PAGE,
        retry_transient_errors=False,
        keep_base_url=True,
        user_agent="aiops-plugin-gitlab",
        backend=_HostWaits,
        session=_HomeSession(),
    )
