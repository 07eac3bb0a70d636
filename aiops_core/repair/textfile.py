"""A text file taken apart so that one changed line leaves every other byte as it was."""

from __future__ import annotations

import difflib
import re

from msgspec import Struct

from aiops_core.repair.diff import common_start, split_lines
from aiops_core.text.encoding import decode_source

_CONTROL = re.compile(r"[\x00-\x06\x0e-\x1a\x1c-\x1f]")


class NotText(ValueError):
    """Say why some bytes cannot be edited as text."""


class TextFile(Struct, frozen=True):
    """The text of a file with every line end as a newline, and what turns it back into bytes."""

    text: str
    original: str
    encoding: str
    bom: bytes

    def encode(self, text: str) -> bytes:
        """Return the file with this text: lines that were there keep their line ends.

        Raise NotText for a character that the file's encoding does not have.
        """
        try:
            return self.bom + _restore_line_ends(self.original, self.text, text).encode(self.encoding)
        except UnicodeEncodeError as error:
            character = error.object[error.start]
            raise NotText(f"the file is {self.encoding} and cannot hold {character!r}") from None


def open_text(content: bytes) -> TextFile:
    """Take a file apart; raise NotText for what is no text or no file to be edited by hand."""
    if content.startswith(b"version https://git-lfs.github.com/spec/"):
        raise NotText("it is a Git LFS pointer, not the file itself")
    original, encoding, bom = decode_source(content)
    if "\x00" in original or len(_CONTROL.findall(original)) * 20 > len(original):
        raise NotText("it is binary")
    return TextFile(unify_line_ends(original), original, encoding, bom)


def unify_line_ends(text: str) -> str:
    """Return the text with every CRLF as a newline; a lone CR is left alone."""
    return text.replace("\r\n", "\n")


def is_generated(content: bytes) -> bool:
    """Return whether the head of a file says that a program writes it."""
    head = content[:2000]
    return b"@generated" in head or re.search(rb"(?i)code generated\b.{0,80}\bdo not edit", head) is not None


def _restore_line_ends(original: str, old: str, new: str) -> str:
    if "\r\n" not in original:
        return new
    if original.count("\n") == original.count("\r\n"):
        return new.replace("\n", "\r\n")
    return _merge(original, old, new)


def _merge(original: str, old: str, new: str) -> str:
    """Carry the line ends of a file with mixed ones over to its new text, line by line."""
    raw, before, after = split_lines(original), split_lines(old), split_lines(new)
    head = common_start(before, after)
    tail = common_start(before[head:][::-1], after[head:][::-1])
    old_core, new_core = before[head : len(before) - tail], after[head : len(after) - tail]
    merged = raw[:head]
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old_core, new_core).get_opcodes():
        if tag == "equal":
            merged += raw[head + i1 : head + i2]
            continue
        near = raw[min(head + i1, len(raw) - 1)] if i1 < i2 else raw[max(head + i1 - 1, 0)]
        end = "\r\n" if near.endswith("\r\n") else "\n"
        merged += [line.replace("\n", end) for line in new_core[j1:j2]]
    return "".join([*merged, *raw[len(raw) - tail :]])
