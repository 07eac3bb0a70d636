"""Recognise what a rotation compressed, and go on in it."""

from __future__ import annotations

from collections.abc import Callable

from aiops_source_file.content import GZIP, GzipContent, PlainContent, packed_part, peek
from aiops_source_file.discovery import Candidate, directory_of
from aiops_source_file.files import Files
from aiops_source_file.generation import TAIL, Generation, Sample, sample
from aiops_source_file.live import Live
from aiops_source_file.nature import UNJUDGED
from aiops_source_file.siblings import Siblings


class Packed:
    """Match gzip files with the generations whose content they hold."""

    def __init__(self, files: Files, live: Live) -> None:
        self._files = files
        self._live = live

    def find(
        self, generation: Generation, siblings: Siblings, is_known: Callable[[Candidate], bool]
    ) -> Candidate | None:
        """Return the compressed copy of a file that is gone."""
        for sibling in siblings.compressed(generation.place) if generation.prefix.length else ():
            content = None if is_known(sibling) else self._open(sibling)
            if content is not None and generation.was_packed_into(content):
                return sibling
        return None

    def move_into(self, generation: Generation, sibling: Candidate) -> None:
        """Let a generation be known by the compressed bytes from now on."""
        generation.nature, generation.may_unpack = UNJUDGED, True
        generation.prefix = generation.tail = generation.earlier = Sample()
        content = self._open(sibling)
        if content is not None:
            generation.remember(content)

    def go_on(self, candidate: Candidate) -> bool:
        """Begin a compressed file after what was read of it before; False when nothing was."""
        content = self._open(candidate) if self._live.memory.is_noted else None
        original = self._live.memory.packed_original(candidate, content) if content is not None else None
        if content is None or original is None:
            return False
        generation = self._live.begin(candidate.path, candidate.key)
        generation.offset, generation.drift = original.offset, original.drift
        generation.is_skipping, generation.may_unpack = original.is_skipping, True
        generation.remember(content)
        generation.look(candidate.status)
        self._live.begun.append(generation)
        return True

    def is_read_elsewhere(self, sibling: Candidate, siblings: Siblings) -> bool:
        """Whether a compressed file is still being made, is none, or holds what is being read."""
        content = None if siblings.has(sibling.path[:-3]) else self._open(sibling)
        directory = directory_of(sibling.path)
        near = [g for g in self._live.by_key.values() if directory in siblings.directories(g.place)]
        return content is None or any(self._is_packed_as(g, content) for g in near)

    def _is_packed_as(self, generation: Generation, content: GzipContent) -> bool:
        held = self._files.held(generation.key)
        if isinstance(held, PlainContent):
            end = packed_part(content, held)
            if end:  # more may be written to it, and then it is known again by this
                generation.earlier = sample(held, max(0, end - TAIL), min(TAIL, end))
            return end > 0
        return generation.is_packed_as(content)

    def _open(self, candidate: Candidate) -> GzipContent | None:
        """Open a gzip file; None when it is none."""
        content = self._files.open(candidate.key, candidate.path)
        if content is None or peek(content, 0, 2) != GZIP:
            return None
        if isinstance(content, GzipContent):
            return content
        self._files.close(candidate.key)
        content = self._files.open(candidate.key, candidate.path, gzip=True)
        return content if isinstance(content, GzipContent) else None
