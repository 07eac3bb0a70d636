"""Open a file, and find out how it is to be read."""

from __future__ import annotations

from aiops_core import replace
from aiops_source_file.content import Content, PlainContent
from aiops_source_file.encoding import Encoding
from aiops_source_file.files import Files
from aiops_source_file.generation import Generation
from aiops_source_file.nature import judge
from aiops_source_file.troubles import Troubles

_LOG_NAMES = (".log", ".txt", ".out", ".err")


class Opener:
    """Give the content of generations that can be read now, and say why others cannot."""

    def __init__(self, files: Files, troubles: Troubles, preset: Encoding | None) -> None:
        self._files = files
        self._troubles = troubles
        self._preset = preset

    def open(self, generation: Generation, *, final: bool = False) -> Content | None:
        """Return what can be read; None when there is nothing to read, or not now.

        ``final`` says that too few bytes to judge by will not become more.
        """
        content = self._files.open(generation.key, generation.path)
        if content is None:
            generation.seen = (generation.seen[0], -1)  # look again
            return None
        if generation.nature.kind == "unknown":
            self._judge(generation, content, final=final)
        if generation.is_ignored:
            self._files.close(generation.key)
            return None
        if generation.nature.kind == "gzip" and isinstance(content, PlainContent):
            self._files.close(generation.key)
            content = self._files.get(generation.key, generation.path, gzip=True)
            self._judge(generation, content, final=True)
        return None if generation.nature.kind == "unknown" or generation.is_ignored else content

    def _judge(self, generation: Generation, content: Content, *, final: bool) -> None:
        generation.nature = judge(content, self._preset, final=final)
        if generation.nature.kind == "gzip" and not generation.may_unpack:
            generation.nature = replace(generation.nature, kind="skipped")
            if generation.explicit:
                self._troubles.tell(
                    generation.path,
                    "is compressed and not followed. `aiops scan` and `run --once` read such files.",
                )
        name = generation.path.rpartition("/")[2]
        if (
            generation.nature.kind == "binary"
            and generation.is_ignored
            and any(e in name for e in _LOG_NAMES)
        ):
            self._troubles.tell(
                generation.path,
                "begins with bytes that are no text; it is skipped. Name it by its own path to read it all "
                "the same, or leave it out by the exclude setting.",
            )
