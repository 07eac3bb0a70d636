"""A forge nobody has: one repository behind a git server that asks for a token, and an API as scripted."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import SecretStr

from aiops_core.records import Change
from aiops_core.settings import Repository
from aiops_core.testing.forge_scene import BareRepository, make_change
from aiops_core.testing.git_http import GitHttpServer
from aiops_core.testing.http_peer import HttpPeer

TOKEN = "token-of-the-forge"


class FakeForge:
    """Serve ``acme/shop`` for as long as the ``with`` block lasts; ``api`` answers what it is told to."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.token = TOKEN
        self.bare = BareRepository.make(directory / "acme-shop.git")
        self.api = HttpPeer()
        self._git = GitHttpServer(directory, token=TOKEN)

    @property
    def url(self) -> str:
        """Address to clone the repository from."""
        return self._git.url("acme-shop.git")

    @property
    def repository(self) -> Repository:
        """The repository as a pipeline file would name it."""
        return Repository(url=self.url, token=SecretStr(self.token))

    def change(self) -> Change:
        """Return a verified fix of what its main branch holds."""
        return make_change(self.bare.commit("main"))

    def branches(self) -> list[str]:
        """Return its branches with the commits they are at."""
        return self.bare.git("for-each-ref", "--format=%(refname:short) %(objectname)").splitlines()

    def __enter__(self) -> Self:
        self._git.__enter__()
        self.api.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.api.__exit__(kind, error, trace)
        self._git.__exit__(kind, error, trace)
