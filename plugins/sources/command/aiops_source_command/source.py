"""The command source: its settings, and the component."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from uuid import uuid4

from pydantic import BeforeValidator, Field, SecretStr

from aiops_core import Config, Context, Duration, LogBatch, Position, Signal, Source, UserError
from aiops_source_command.output import FollowedOutput
from aiops_source_command.program import GRACE, Output, Program

_PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR")
_MOST_FAILURES = 5
_TICK = 0.2
_SHORTEST_PAUSE = timedelta(milliseconds=10)


def _as_arguments(value: object) -> object:
    if isinstance(value, str):
        raise ValueError("a command is a list, as in [kubectl, logs, -f, deploy/shop]; no shell reads it")
    if isinstance(value, list):
        return [str(part) if type(part) is int else part for part in value]
    return value


class CommandConfig(Config):
    """Which program is run, and what happens when it ends."""

    command: Annotated[list[str], BeforeValidator(_as_arguments)] = Field(min_length=1)
    """Program and arguments, as a list. No shell reads them: write ``[sh, -c, "…"]`` to have one.
    A program with a slash in its name starts at the pipeline file, any other is found on the
    PATH."""
    stderr: Literal["follow", "ignore"] = "follow"
    """Whether the standard error is read as a second stream. Its end is told in any case when the
    program fails."""
    restart: Literal["always", "on_failure", "never"] = "always"
    """When the program is started again after it ended; ``on_failure`` means after an exit code
    other than 0 or a signal. A run with ``--once`` starts it once."""
    backoff: Duration = Field(default=timedelta(seconds=1), ge=_SHORTEST_PAUSE)
    """Pause before a program that ended is started again. It doubles with each failure in a row."""
    longest_backoff: Duration = Field(default=timedelta(minutes=1), ge=_SHORTEST_PAUSE)
    """Longest pause before it is started again. A program that ran for longer than this begins at
    ``backoff`` again."""
    env: dict[str, SecretStr] = Field(default={})
    """Environment variables the program gets besides PATH, HOME, USER, LOGNAME, SHELL, LANG,
    LANGUAGE, LC_*, TZ and TMPDIR. Others of this process are not passed on: they may be secrets."""
    cwd: str = ""
    """Directory the program runs in; a relative one starts at the pipeline file, which is the
    default."""


class CommandSource(Source[CommandConfig]):
    """Run a program and follow what it prints."""

    resumes = False

    def __init__(self, config: CommandConfig | None = None, context: Context | None = None) -> None:
        super().__init__(config, context)
        self._idle = threading.Event()
        self._idle.set()

    def problem(self) -> str | None:
        """Look for program and directory as a start does."""
        try:
            self.start()
        except UserError as error:
            return str(error)
        return None

    def start(self) -> None:
        self._program()
        if not self._directory().is_dir():
            raise UserError(f"{self._directory()}: no such directory. Set 'cwd' to one that exists")

    def stop(self) -> None:
        """Wait until the program has ended."""
        if self.context.stopping.is_set():
            self._idle.wait(2 * GRACE + 1)

    def source(self, positions: Mapping[str, Position]) -> Iterator[Signal]:
        self._idle.clear()
        try:
            yield from self._follow()
        finally:
            self._idle.set()

    def _follow(self) -> Iterator[LogBatch]:
        """Run the program again and again, as the settings say."""
        outputs = self._outputs()
        failures = 0
        while not self.context.stopping.is_set():
            began = time.monotonic()
            failure = yield from self._run(outputs)
            if self.context.stopping.is_set():
                return
            is_long_ago = time.monotonic() - began > self.config.longest_backoff.total_seconds()
            failures = (0 if is_long_ago else failures) + 1 if failure else 0
            if self._is_last(failure):
                self._tell(failure, "")
                yield from (output.end() for output in outputs.values())
                return
            pause = self._pause(failures)
            self._tell(failure, f" It is started again in {pause:g} s.")
            if failures == _MOST_FAILURES:
                self._tell_failing(failure)
            self.context.stopping.wait(pause)

    def _is_last(self, failure: str) -> bool:
        restart = self.config.restart
        return self.context.once or restart == "never" or (restart == "on_failure" and not failure)

    def _pause(self, failures: int) -> float:
        pause = self.config.backoff.total_seconds() * float(2 ** min(max(failures - 1, 0), 30))
        return min(pause, max(self.config.longest_backoff, self.config.backoff).total_seconds())

    def _tell(self, failure: str, what_next: str) -> None:
        name = Path(self.config.command[0]).name
        if failure:
            self.context.logger.warning("%s: %s %s.%s", self.context.name, name, failure, what_next)
        else:
            self.context.logger.info("%s: %s ended.%s", self.context.name, name, what_next)

    def _tell_failing(self, failure: str) -> None:
        """Tell people: a program that does nothing but fail may have much to say that nobody reads."""
        self.context.fault(
            "the program fails again and again",
            f"{self.context.name}: {Path(self.config.command[0]).name} failed {_MOST_FAILURES} times in a row, the "
            f"last time it {failure}. It is tried on. Run it by hand to see what it lacks.",
        )

    def _run(self, outputs: Mapping[Output, FollowedOutput]) -> Generator[LogBatch, None, str]:
        """Yield what one run prints; return what went wrong, "" when nothing did."""
        try:
            program = Program(self._command(), self._environment(), self._directory())
        except OSError as error:
            return f"could not be started ({error.strerror})"
        code = None
        try:
            yield from self._read(program, outputs)
            while not self.context.stopping.is_set() and code is None:
                code = program.end(at_once=True) if program.wait(_TICK) else None
        finally:
            if code is None:
                program.end(at_once=False)
        for output in outputs.values():
            yield from output.finish()
        if not code:
            return ""
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"{how} and said last: {program.last_words}" if program.last_words else how

    def _read(self, program: Program, outputs: Mapping[Output, FollowedOutput]) -> Iterator[LogBatch]:
        for chunk in program.chunks():
            if chunk is not None and chunk[0] in outputs:
                yield from outputs[chunk[0]].feed(chunk[1])
            if self.context.stopping.is_set():
                return

    def _outputs(self) -> dict[Output, FollowedOutput]:
        """Return the outputs that are followed, under names no earlier start has used."""
        start, program = uuid4().hex[:12], Path(self.config.command[0]).name
        names: tuple[Output, ...] = ("stdout", "stderr") if self.config.stderr == "follow" else ("stdout",)
        return {name: FollowedOutput(self.context, name, f"{name}-{start}", program) for name in names}

    def _command(self) -> list[str]:
        return [self._program(), *self.config.command[1:]]

    def _program(self) -> str:
        name = self.config.command[0]
        path = str(self.context.directory.absolute() / Path(name).expanduser()) if "/" in name else name
        program = shutil.which(path, path=self._environment().get("PATH"))
        if program is None and "/" in name and Path(path).is_file():
            raise UserError(
                f"{name}: it may not be executed. Allow it, with 'chmod +x', or name what runs it"
            )
        if program is None:
            raise UserError(f"{name}: no such program. Name one that is on the PATH, or its path")
        return program

    def _directory(self) -> Path:
        return self.context.directory / Path(self.config.cwd).expanduser()

    def _environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if name in _PASSED_ON or name[:3] == "LC_"}
        return own | {name: value.get_secret_value() for name, value in self.config.env.items()}
