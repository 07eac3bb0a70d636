"""The journald source: its settings, and the component."""

from __future__ import annotations

import pwd
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from aiops_core import Config, Context, Position, Signal, Source, UserError
from aiops_source_journald import places
from aiops_source_journald.journalctl import Journalctl
from aiops_source_journald.reader import STREAM, Reader


def _as_text(value: object) -> object:
    return str(value) if type(value) is int else value


def _of_form(pattern: str, wrong: str) -> AfterValidator:
    """Return what refuses text of another form, and says in words what to write."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"{text!r} {wrong}")
        return text

    return AfterValidator(check)


Text = Annotated[
    str, BeforeValidator(_as_text), StringConstraints(min_length=1), _of_form(r"[^\0]+", "holds a NUL")
]
Unit = Annotated[
    str, _of_form(r"[^\0/*?\[]+", "is no unit. Write each unit's whole name, as in shop.service")
]
FieldName = Annotated[
    str, _of_form(r"[A-Z0-9_]{1,64}", "is no field of the journal. Write it in capitals, as in _TRANSPORT")
]
Boot = Annotated[
    str,
    BeforeValidator(_as_text),
    _of_form(
        r"all|current|[0-9a-f]{32}", "is no boot. Write all, current, or an id from journalctl --list-boots"
    ),
]
_MOST_REMARKS = 100
_LONGEST_STOP = 3.0


class JournaldConfig(Config):
    """Which journal is read, and which of its entries."""

    units: list[Unit] = Field(default=[])
    """Systemd units whose entries are read, what the service manager says about them included; of
    all units when empty. Patterns are refused: journalctl would leave out units that first log
    after it was started."""
    identifiers: list[Text] = Field(default=[])
    """Syslog identifiers whose entries are read; of all when empty."""
    priority: Literal["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"] | None = None
    """Least severity of the entries that are read. Many programs print errors and traces to their
    standard output, where every line has the priority ``info``; without this setting every entry
    is read, those without a priority too."""
    boot: Boot = "all"
    """``all``, ``current``, or the id of the boot whose entries are read, 32 hexadecimal digits."""
    users: list[Text] = Field(default=[])
    """Names or numbers of the users whose processes' entries are read; of all when empty."""
    matches: dict[FieldName, Text | list[Text]] = Field(default={})
    """Journal fields and the value, or one of the values, each must have, as in
    ``{_TRANSPORT: kernel}``. All settings that choose entries must hold at once."""
    start: Literal["end", "beginning"] = "end"
    """Where reading begins when the pipeline starts for the first time. Later starts go on where
    the last one stopped. A run with ``--once`` begins at the beginning."""
    directory: str = ""
    """Directory of journal files to read instead of this machine's journal; a relative one starts
    at the pipeline file."""
    namespace: str = ""
    """Journal namespace to read instead of the default one."""
    journalctl: Text = "journalctl"
    """Name or path of the journalctl program; a relative path starts at the pipeline file."""

    @model_validator(mode="after")
    def _check_journal(self) -> JournaldConfig:
        if self.directory and self.namespace:
            raise ValueError("directory and namespace name two journals. Use two sources")
        return self


class JournaldSource(Source[JournaldConfig]):
    """Follow the systemd journal."""

    def __init__(self, config: JournaldConfig | None = None, context: Context | None = None) -> None:
        super().__init__(config, context)
        self._idle = threading.Event()
        self._idle.set()

    def problem(self) -> str | None:
        """Look for journalctl, the journal and the users as a start does."""
        try:
            self._check_surroundings()
        except UserError as error:
            return str(error)
        return None

    def _check_surroundings(self) -> None:
        self._program()
        self._journal()
        self._filters()

    def start(self) -> None:
        self._check_surroundings()
        for remark in self._remarks():
            self.context.logger.warning("%s: %s", self.context.name, remark)

    def stop(self) -> None:
        """Wait until journalctl has ended."""
        if self.context.stopping.is_set():
            self._idle.wait(_LONGEST_STOP)

    def source(self, positions: Mapping[str, Position]) -> Iterator[Signal]:
        program, stopping = self._program(), self.context.stopping
        journalctl = Journalctl(program, self._journal(), self._filters(), self._remark(), stopping.is_set)
        from_end = self.config.start == "end"
        self._idle.clear()
        try:
            yield from Reader(self.context, journalctl, positions.get(STREAM), from_end=from_end).run()
        finally:
            self._idle.set()

    def _program(self) -> str:
        name = self.config.journalctl
        path = str(self.context.directory / Path(name).expanduser()) if "/" in name else name
        program = shutil.which(path)
        if program is None:
            raise UserError(
                f"{name}: no such program. This source needs the journalctl of systemd: "
                "install it, or set 'journalctl' to its path"
            )
        return program

    def _journal(self) -> list[str]:
        """Return the arguments that name the journal."""
        if self.config.namespace:
            return [f"--namespace={self.config.namespace}"]
        if not self.config.directory:
            return []
        directory = self._directory()
        if not directory.is_dir():
            raise UserError(
                f"{directory}: no such directory. Set 'directory' to one that holds journal files"
            )
        return [f"--directory={directory}", "--merge"]  # without --merge, --follow shows one boot only

    def _directory(self) -> Path:
        return self.context.directory / Path(self.config.directory).expanduser()

    def _remarks(self) -> Iterator[str]:
        """Yield what an operator should know of the journal, though reading may begin."""
        if self.config.directory:  # what there cannot be read, journalctl itself names
            yield from places.look_into(self._directory())
        elif not self.config.namespace:
            yield from places.look_around()

    def _filters(self) -> list[str]:
        """Return the arguments that choose entries."""
        config = self.config
        chosen = [f"--unit={unit}" for unit in config.units]
        chosen += [f"--identifier={identifier}" for identifier in config.identifiers]
        if config.priority:
            chosen.append(f"--priority={config.priority}")
        if config.boot != "all":
            boot = _current_boot() if config.boot == "current" else config.boot
            chosen.append(f"_BOOT_ID={boot}")
        chosen += [f"_UID={_user_id(user)}" for user in config.users]
        for field, values in config.matches.items():
            chosen += [f"{field}={value}" for value in ([values] if isinstance(values, str) else values)]
        return chosen

    def _remark(self) -> Callable[[str], None]:
        """Return what passes on each remark of journalctl once."""
        told: set[str] = set()

        def remark(text: str) -> None:
            if text not in told and len(told) < _MOST_REMARKS:
                told.add(text)
                self.context.logger.warning("%s: journalctl says: %s", self.context.name, text)

        return remark


def _current_boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip().replace("-", "")


def _user_id(user: str) -> int:
    if user.isascii() and user.isdigit():
        return int(user)
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        raise UserError(
            f"users: nobody is called '{user}' on this machine. Name somebody who is, or give the number"
        ) from None
