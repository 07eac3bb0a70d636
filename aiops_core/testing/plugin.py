"""Fixtures for the tests of plugins; pytest finds them wherever aiops-core is installed.

Nothing of the core is imported before a test asks for it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from aiops_core.records import Block, Event, Incident
    from aiops_core.testing.fake_forge import FakeForge
    from aiops_core.testing.http_peer import HttpPeer
    from aiops_core.testing.messages_api import MessagesApi
    from aiops_core.testing.pipeline import PipelineResult
    from aiops_core.testing.smtp import SmtpServer

_CREDENTIALS = ("ANTHROPIC_", "CLAUDE_", "OPENAI_", "GITHUB_", "GITLAB_", "AIOPS_", "GIT_")
_NAMES_OF_LOOPBACK = ("", "localhost", "0.0.0.0", "::")
_ADDRESS_AT = {"connect": 0, "connect_ex": 0, "sendto": -1, "sendmsg": 3}
"""Which argument is the address, where there is one."""
_ONE_PIPELINE = """\
pipelines:
  test:
    sources: [{uses: file, with: {paths: [./app.log], start: beginning}}]
"""


class Clock:
    """Be a clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> datetime:
        """Let so many seconds pass, or come back; return the new time."""
        self.now += timedelta(seconds=seconds)
        return self.now


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``aiops_network``."""
    parser.addini("aiops_network", "Let tests reach beyond loopback.", type="bool", default=False)


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test on loopback; ``aiops_network = true`` in pytest's settings turns it off."""
    if request.config.getini("aiops_network"):
        return
    for name, at in _ADDRESS_AT.items():
        monkeypatch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name), at))
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        monkeypatch.setattr(socket, name, _unasked(getattr(socket, name)))


def _guarded(reach: Callable[..., Any], at: int) -> Callable[..., Any]:  # Any: as the standard library has it
    def guarded(self: socket.socket, *arguments: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            for address in arguments[at:][:1]:
                if isinstance(address, tuple) and not _is_loopback(str(address[0])):
                    raise OSError(f"tests stay on loopback, not {address[0]}")
        return reach(self, *arguments)

    return guarded


def _is_loopback(host: str) -> bool:
    try:
        return host in _NAMES_OF_LOOPBACK or ip_address(host).is_loopback
    except ValueError:
        return False


def _unasked(look_up: Callable[..., Any]) -> Callable[..., Any]:  # Any: as the standard library has it
    def looked_up(host: Any, *arguments: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name and name not in ("localhost", socket.gethostname()) and not _is_address(name):
            raise socket.gaierror(socket.EAI_NONAME, f"tests ask no name server for {name}")
        return look_up(host, *arguments, **named)

    return looked_up


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdecimal()


@pytest.fixture(scope="session")
def _new_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Make an empty directory; thousands beside those of pytest would make each of its own slower than the last."""
    homes, numbers = tmp_path_factory.mktemp("homes"), count()

    def new_home() -> Path:
        home = homes / str(next(numbers))
        home.mkdir()
        return home

    return new_home


@pytest.fixture(scope="session")
def _caches(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return where caches lie that all tests of a run share, those of other workers of pytest-xdist too."""
    own = tmp_path_factory.getbasetemp()
    return str((own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "cache")


@pytest.fixture(autouse=True)
def no_ambient_credentials(
    monkeypatch: pytest.MonkeyPatch, _new_home: Callable[[], Path], _caches: str
) -> None:
    """Hide this machine's keys, proxies and home directory from every test."""
    for name in list(os.environ):
        if name.startswith(_CREDENTIALS) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(_new_home()))
    monkeypatch.setenv("XDG_CACHE_HOME", _caches)


@pytest.fixture
def block() -> Callable[..., Block]:
    """``block(text)``: the block a detector is given for these lines."""
    from aiops_core.testing import samples

    return samples.block


@pytest.fixture
def event() -> Callable[..., Event]:
    """``event(type=…)``: one detected error, with these fields set."""
    from aiops_core.testing import samples

    return samples.event


@pytest.fixture
def incident() -> Callable[..., Incident]:
    """``incident(count=…)``: an incident of one stored event, with these fields set."""
    from aiops_core.testing import samples

    return samples.incident


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands still; ``clock.advance(60)`` moves it."""
    return Clock()


@pytest.fixture
def run_pipeline(tmp_path: Path) -> Callable[..., PipelineResult]:
    """``run_pipeline(yaml, lines)``: run a whole pipeline once over what was logged.

    ``yaml`` is a pipeline file that reads ``./app.log``, or only what one pipeline holds beside such
    a source. ``lines`` is text or bytes; ``files`` are further files beside it. Detectors that the
    pipeline does not name are those of aiops-core, whatever else is installed.
    """
    from aiops_core.catalogue import Catalogue
    from aiops_core.testing.pipeline import run_pipeline

    def run(
        yaml: str, lines: str | bytes = "", files: dict[str, str | bytes] | None = None, **named: Any
    ) -> PipelineResult:  # Any: what run_pipeline takes
        text = yaml if "pipelines:" in yaml else _ONE_PIPELINE + _indented(yaml)
        written = {"app.log": lines, **(files or {})}
        return run_pipeline(text, written, tmp_path, catalogue=Catalogue(discovers=False), **named)

    return run


def _indented(text: str) -> str:
    from textwrap import dedent, indent

    return indent(dedent(text), "    ")


@pytest.fixture
def http_peer() -> Iterator[HttpPeer]:
    """Return an HTTP server that answers as scripted: ``http_peer.script(Reply(429), …)``."""
    from aiops_core.testing.http_peer import HttpPeer

    with HttpPeer() as peer:
        yield peer


@pytest.fixture
def fake_model() -> Iterator[MessagesApi]:
    """Return a server that speaks the Messages API as scripted; its key is ``sk-ant-test``."""
    from aiops_core.testing.messages_api import MessagesApi

    with MessagesApi(key="sk-ant-test") as api:
        yield api


@pytest.fixture
def fake_forge(tmp_path: Path) -> Iterator[FakeForge]:
    """Return a git server with one repository that asks for a token, and a scriptable API beside it."""
    from aiops_core.testing.fake_forge import FakeForge

    with FakeForge(tmp_path / "forge") as forge:
        yield forge


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    """Return a mail server that keeps what it gets; it needs aiosmtpd and trustme."""
    pytest.importorskip("aiosmtpd", reason="smtp_server needs aiosmtpd: pip install aiops-core[testing]")
    pytest.importorskip("trustme", reason="smtp_server needs trustme: pip install aiops-core[testing]")
    from aiops_core.testing.smtp import SmtpServer

    with SmtpServer() as server:
        yield server
