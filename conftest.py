"""Keep every test off the network and off this machine's credentials."""

import os
import socket
import time
from pathlib import Path

import pytest

_PREFIXES = ("ANTHROPIC_", "CLAUDE_", "GITHUB_", "GITLAB_", "AIOPS_", "GIT_")
os.environ["TZ"] = "UTC"  # what logs say without a zone is the same everywhere
time.tzset()
_LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")


@pytest.fixture(autouse=True)
def no_ambient_credentials(monkeypatch, tmp_path_factory):
    for name in list(os.environ):
        if name.startswith(_PREFIXES) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(_LOOPBACK):
            raise OSError(f"tests stay on loopback, not {address[0]}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def corpora():
    """Return the folder of public corpora beside the project, or skip."""
    data = Path(__file__).resolve().parent.parent / "shared" / "data"
    if not (data / "traces").is_dir():
        pytest.skip("the public corpora are not here: ../shared/data is missing")
    return data
