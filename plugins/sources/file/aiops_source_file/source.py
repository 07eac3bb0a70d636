"""The file source: its settings, and the component."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from aiops_core import Config, Duration, Position, Signal, Size, Source, UserError
from aiops_source_file.encoding import Encoding, named

if TYPE_CHECKING:
    from aiops_source_file.follower import Follower


class FileConfig(Config):
    """Which files are read, and from where."""

    paths: list[str] = Field(min_length=1)
    """Files, directories or globs. A directory stands for all text files in it; a glob may hold
    ``*``, ``?``, ``[…]`` and ``**`` for any number of directories. What begins with a dot has to
    be named with it. Relative paths start at the pipeline file, ``~`` is the home directory. Files
    that appear later are found within a second."""
    exclude: list[str] = Field(default=[])
    """Globs of files and directories that are left out. Without a slash they are compared with
    the name alone, as in ``*.gz``; otherwise with the whole path."""
    recursive: bool = True
    """Whether directories named in ``paths`` are searched with all directories below them."""
    start: Literal["end", "beginning"] = "end"
    """Where reading begins in files that are there when the pipeline starts for the first time.
    Later starts go on where the last one stopped, and files that appear later are read from
    their beginning. A run with ``--once`` begins at the beginning."""
    ignore_older: Duration | None = None
    """Files that nobody wrote to for this long when they are first seen are read from their end:
    only what is written to them later counts. None: all files count. A file that is being read
    is never dropped for its age."""
    backlog: Size | None = Field(default=None, gt=0)
    """How much of one file is caught up at most when reading begins, after a stop or from the
    beginning; what lies before is skipped, and told as lost. None: all of it."""
    encoding: str = "auto"
    """How the text is encoded: ``auto``, or a name such as ``cp1252``, ``shift_jis``, ``gb18030``
    or ``utf-16-le``. ``auto`` takes UTF-16 and UTF-32 by their byte order mark, UTF-16 also by its
    zero bytes, and everything else as UTF-8. A mark in the file wins over this setting."""
    rotate_wait: Duration = timedelta(seconds=60)
    """How long a renamed or deleted file is still followed after its last new byte."""
    rotated_to: list[str] = Field(default=[])
    """Directories rotation moves files to, as logrotate's ``olddir`` says; relative ones start at
    the directory of the file. What was moved there while nobody read is found there."""
    debounce: Duration = timedelta(0)
    """How long changes are gathered before they are read. At 0 those of some 20 ms are; seconds
    save work where much is written and nothing is urgent."""

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name != "auto":
            named(name)
        return name

    @property
    def preset(self) -> Encoding | None:
        """The encoding people chose."""
        return None if self.encoding == "auto" else named(self.encoding)


class FileSource(Source[FileConfig]):
    """Follow log files through renames, truncations and restarts."""

    _follower: Follower | None = None

    def start(self) -> None:
        """Refuse a system on which files cannot be told apart."""
        if sys.platform == "win32":
            raise UserError(
                f"{self.context.name}: the file source does not run on Windows, where a file has no inode to "
                "know it by after a rename. Run aiops in WSL, or send the logs to the http or syslog source "
                "of one that runs on Linux."
            )

    def places(self) -> Sequence[Path]:
        """Return the directories that the paths begin with."""
        return [_directory(self.context.directory / Path(path).expanduser()) for path in self.config.paths]

    def absent(self) -> Sequence[str]:
        """Look once at every path, as the first look of a run does."""
        from aiops_source_file.discovery import Discovery
        from aiops_source_file.troubles import Unread

        config, unread = self.config, Unread(self.context.logger)
        for path in config.paths:
            one = Discovery([path], config.exclude, config.recursive, self.context.directory, unread)
            found = one.scan()
            unread.said += [
                f"{each.path}: may not be read" for each in found if not os.access(each.path, os.R_OK)
            ]
            if not found and not any(path in said for said in unread.said):
                unread.said.append(f"{path}: no file is there")
        return unread.said

    def stop(self) -> None:
        """Wake the reader, so that it sees at once that it is to stop."""
        if self._follower is not None:
            self._follower.wake()

    def source(self, positions: Mapping[str, Position]) -> Iterator[Signal]:
        from aiops_source_file.discovery import Discovery
        from aiops_source_file.follower import Follower, Manner
        from aiops_source_file.troubles import Troubles

        config = self.config
        discovery = Discovery(
            config.paths,
            config.exclude,
            config.recursive,
            self.context.directory,
            Troubles(self.context.logger),
        )
        manner = Manner(
            from_end=config.start == "end",
            rotate_wait=config.rotate_wait.total_seconds(),
            debounce=config.debounce.total_seconds(),
            preset=config.preset,
            oldest=config.ignore_older.total_seconds() if config.ignore_older else None,
            backlog=config.backlog,
            rotated_to=[str(Path(path).expanduser()) for path in config.rotated_to],
        )
        self._follower = Follower(self.context, discovery, positions, manner)
        yield from self._follower.run()


def _directory(path: Path) -> Path:
    """Return the deepest directory that is there and holds all a path stands for."""
    parts = [part for part in (path, *path.parents) if not any(sign in str(part) for sign in "*?[")]
    return next((part for part in parts if part.is_dir()), Path("/"))
