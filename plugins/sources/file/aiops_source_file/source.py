"""The file source: its settings, and the component."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Literal

from pydantic import Field

from aiops_core import Config, Duration, Position, Signal, Source
from aiops_source_file.discovery import Discovery
from aiops_source_file.follower import Follower
from aiops_source_file.troubles import Troubles


class FileConfig(Config):
    """Which files are read, and from where."""

    paths: list[str] = Field(min_length=1)
    """Files, directories or globs. A directory stands for all text files in it; a glob may hold
    ``*``, ``?``, ``[…]`` and ``**`` for any number of directories. Relative paths start at the
    pipeline file, ``~`` is the home directory. Files that appear later are found within a
    second."""
    exclude: list[str] = Field(default_factory=list)
    """Globs of files and directories that are left out. Without a slash they are compared with
    the name alone, as in ``*.gz``; otherwise with the whole path."""
    recursive: bool = True
    """Whether directories named in ``paths`` are searched with all directories below them."""
    start: Literal["end", "beginning"] = "end"
    """Where reading begins in files that are there when the pipeline starts for the first time.
    Later starts go on where the last one stopped, and files that appear later are read from
    their beginning. A run with ``--once`` begins at the beginning."""
    rotate_wait: Duration = timedelta(seconds=60)
    """How long a renamed or deleted file is still followed after its last new byte."""


class FileSource(Source[FileConfig]):
    """Follow log files through renames, truncations and restarts."""

    _follower: Follower | None = None

    def stop(self) -> None:
        """Wake the reader, so that it sees at once that it is to stop."""
        if self._follower is not None:
            self._follower.wake()

    def source(self, positions: Mapping[str, Position]) -> Iterator[Signal]:
        discovery = Discovery(
            self.config.paths,
            self.config.exclude,
            self.config.recursive,
            self.context.directory,
            Troubles(self.context.logger),
        )
        self._follower = Follower(
            self.context,
            discovery,
            positions,
            from_end=self.config.start == "end",
            rotate_wait=self.config.rotate_wait.total_seconds(),
        )
        yield from self._follower.run()
