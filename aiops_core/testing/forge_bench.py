"""A forge on a bench: its API, a git server and a repository, for the suite every forge passes."""

from __future__ import annotations

import logging
import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import SecretStr

from aiops_core.context import Context
from aiops_core.plain import to_text
from aiops_core.records import Change, Plan
from aiops_core.repair.request_action import RequestAction
from aiops_core.settings import Repository
from aiops_core.testing.api_stub import ApiStub
from aiops_core.testing.forge_scene import (
    BareRepository,
    FileEffects,
    make_analysis,
    make_change,
    make_incident,
)
from aiops_core.testing.forge_talk import Said, Talk
from aiops_core.testing.git_http import GitHttpServer

State = Literal["open", "closed", "merged"]


@dataclass(frozen=True)
class Seen:
    """One request as people see it on the forge; the title without what makes it a draft."""

    number: int
    branch: str
    base: str = "main"
    state: State = "open"
    title: str = ""
    body: str = ""
    draft: bool = False
    labels: list[str] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Setup:
    """Where an action finds everything; travels to child processes."""

    action_type: type[RequestAction[Any]]
    repository: Mapping[str, Any]
    settings: Mapping[str, Any]
    directory: Path

    def action(self, effects: FileEffects | None = None, **settings: Any) -> RequestAction[Any]:
        """Return the action, started."""
        config = self.action_type.config_type(**{**self.settings, **settings})
        token = SecretStr(self.repository["token"])
        context = Context(
            pipeline="shop",
            name=self.action_type.words.component,
            logger=logging.getLogger("aiops.shop"),
            scratch=self.directory / "scratch",
            mirrors=self.directory / "mirrors",
            repository=Repository(**{**self.repository, "token": token}),
            effects=effects or FileEffects(self.directory / "effects.json"),
        )
        context.scratch.mkdir(exist_ok=True)
        action = self.action_type(config, context)
        action.start()
        return action


class ForgeBench(ABC):
    """One forge with one repository; use as a context manager."""

    action_type: type[RequestAction[Any]]
    token: ClassVar[str]
    path: ClassVar[str]
    """Path of the repository on the forge."""
    creating: ClassVar[tuple[str, str]]
    """Method and path, as an expression, of the call that opens a request."""
    labelling: ClassVar[tuple[str, str]]
    editing: ClassVar[tuple[str, str]]
    unlabelling: ClassVar[tuple[str, str]]
    wordings: ClassVar[Mapping[str, tuple[int, Any]]]
    """How the forge answers a call: status and body by kind (``expired``, ``scope``, ``forbidden`` …)."""
    scope_headers: ClassVar[Mapping[str, str]] = {}
    api: ApiStub

    def __init__(self, template: BareRepository, directory: Path, *, tls: bool = False) -> None:
        self.directory = directory
        self.bare = template.copy(directory / "remotes" / f"{self.path}.git")
        self.git = GitHttpServer(directory / "remotes", token=self.token, tls=tls)
        self.api = self.make_api(tls=tls)
        (directory / "state").mkdir()

    @abstractmethod
    def make_api(self, *, tls: bool) -> ApiStub:
        """Return the forge's API for the repository."""

    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """Return what the action needs to be told of this forge."""

    @abstractmethod
    def seen(self) -> list[Seen]:
        """Return every request, oldest first."""

    @abstractmethod
    def add(self, branch: str, *, state: State = "open", body: str = "", fork: bool = False) -> int:
        """Put a request there without any check, and return its number."""

    @abstractmethod
    def change(self, number: int, **what: str) -> None:
        """Change ``state``, ``title``, ``body`` or ``branch`` of a request, as people do."""

    @property
    @abstractmethod
    def talk(self) -> Talk:
        """What people say on the requests."""

    @abstractmethod
    def comment_id(self, said: Said) -> str:
        """Return the id by which the forge tells of a comment."""

    @abstractmethod
    def limit(self, kind: Literal["primary", "secondary"], seconds: int) -> tuple[int, Any, dict[str, str]]:
        """Return status, body and headers of an answer that asks to wait."""

    @abstractmethod
    def number_url(self, number: int) -> str:
        """Return where people find a request."""

    def __enter__(self) -> Self:
        self.api.__enter__()
        self.git.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.git.__exit__(*error)
        self.api.__exit__(*error)

    @property
    def setup(self) -> Setup:
        """Where an action finds everything."""
        repository = {"url": self.git.url(f"{self.path}.git"), "token": self.token}
        return Setup(self.action_type, repository, self.settings(), self.directory / "state")

    def make_fix(self, content: bytes | None = None) -> Change:
        """Return a verified fix of what main holds now."""
        base = self.bare.commit("main")
        return make_change(base) if content is None else make_change(base, content)

    def plan(self, change: Change | None = None, **settings: Any) -> Plan:
        """Return the plan for a fix."""
        plan = self.setup.action(**settings).plan(make_incident(), make_analysis(), change or self.make_fix())
        assert plan is not None
        return plan

    @property
    def created(self) -> int:
        """How many requests somebody asked to open."""
        return self.api.count(*self.creating)


def act_in_child(setup: Setup, plan: Plan, die_at: str, may_begin: Event) -> None:
    """Carry the plan out in this process, which dies at the named point, and write the outcome."""
    assert may_begin.wait(20)

    def at(point: str) -> None:
        if point == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    outcome = setup.action(FileEffects(setup.directory / "effects.json", at)).act(plan)
    (setup.directory / "outcome.json").write_text(to_text(outcome))
