"""A git that writes down how it was called, then does what git does."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_END = "=== end of a call"


@dataclass(frozen=True, slots=True)
class GitCall:
    """One call: its arguments, joined by spaces, and its environment."""

    arguments: str
    environment: Mapping[str, str]

    @property
    def settings(self) -> dict[str, str]:
        """The configuration that came by the environment."""
        count = int(self.environment.get("GIT_CONFIG_COUNT", "0"))
        names = [self.environment[f"GIT_CONFIG_KEY_{number}"] for number in range(count)]
        return {name: self.environment[f"GIT_CONFIG_VALUE_{number}"] for number, name in enumerate(names)}


class RecordedGit:
    """A program ``git`` in ``directory``, for the front of PATH."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._log = directory / "calls.log"
        wrapper = directory / "git"
        wrapper.write_text(
            f'#!/bin/sh\nprintf "%s\\n" "$*" "$(env)" "{_END}" >> {self._log}\nexec {shutil.which("git")} "$@"\n'
        )
        wrapper.chmod(0o755)
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._log.write_text("")

    @property
    def text(self) -> str:
        """Everything that was written down."""
        return self._log.read_text("utf-8", "replace")

    @property
    def calls(self) -> list[GitCall]:
        """The calls, in the order they were made."""
        found = []
        for block in self.text.split(f"{_END}\n")[:-1]:
            arguments, _, environment = block.partition("\n")
            pairs = (line.partition("=") for line in environment.splitlines())
            found.append(GitCall(arguments, {name: value for name, _, value in pairs}))
        return found
