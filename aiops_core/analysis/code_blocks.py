"""Edits as a model writes them in plain text: one ``<code_block>`` for each file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from aiops_core.errors import AiopsError
from aiops_core.records import Json

_OPEN = re.compile(r"^[ \t]*<code_block\b(.*?)(/|>[ \t]*</code_block)?>[ \t\r]*$", re.MULTILINE)
_CLOSE = re.compile(r"(.*)</code_block>[ \t\r]*")
_ATTRIBUTE = re.compile(r"""\s+([a-z]+)\s*=\s*(?:"([^"\n]*)"|'([^'\n]*)'|([^\s"'=<>`]+))""")
_SEARCH = re.compile(r"(<{7,}) ?SEARCH[ \t]*")
_FENCE = re.compile(r"```[\w+.#-]*[ \t]*")
_ATTRIBUTES = frozenset({"filename", "action", "to"})
_ACTIONS = frozenset({"create", "replace", "delete", "rename"})


class AnswerInvalid(AiopsError):
    """Say what is wrong with an answer; nothing of it may be used."""


def take_code_blocks(text: str) -> tuple[str, list[Mapping[str, Json]]]:
    """Return the text without its code blocks, and the edits they state, in their order.

    Raise AnswerInvalid for a block that is not whole or not in the format.
    """
    rest: list[str] = []
    edits: list[Mapping[str, Json]] = []
    done = 0
    while opened := _OPEN.search(text, done):
        rest.append(text[done : opened.start()])
        facts = _attributes(opened[1])
        if opened[2]:
            body, done = list[str](), opened.end()
        else:
            body, done = _body(text, opened.end(), facts["filename"])
        edits += _edits(facts, body)
    rest.append(text[done:])
    return "".join(rest), edits


def _attributes(text: str) -> Mapping[str, str]:
    found = [(match[1], match[2] or match[3] or match[4] or "") for match in _ATTRIBUTE.finditer(text)]
    facts = dict(found)
    if _ATTRIBUTE.sub("", text).strip() or len(facts) < len(found) or not set(facts) <= _ATTRIBUTES:
        raise AnswerInvalid(
            f'answer: <code_block{text[:80]}> is not in the format. Write filename="…", action="…" and to="…" only.'
        )
    if not facts.get("filename"):
        raise AnswerInvalid('answer: a <code_block> has no filename. Write <code_block filename="…">.')
    if facts.get("action", "create") not in _ACTIONS:
        raise AnswerInvalid(
            f"answer: {_where(facts)}: action {facts['action'][:20]!r} is none of create, replace, delete and rename."
        )
    return facts


def _body(text: str, start: int, name: str) -> tuple[list[str], int]:
    """Return the lines up to the closing tag, and where the text goes on."""
    lines: list[str] = []
    at = start + 1
    while at < len(text):
        end = text.find("\n", at)
        line = text[at:] if end < 0 else text[at:end]
        at += len(line) + 1
        if closed := _CLOSE.fullmatch(line):
            return [*lines, closed[1]] if closed[1].strip() else lines, at
        lines.append(line)
    raise AnswerInvalid(f"answer: the code block of {name[:80]!r} has no </code_block>. Write it whole.")


def _edits(facts: Mapping[str, str], body: Sequence[str]) -> Iterator[Mapping[str, Json]]:
    lines = _unfenced(body)
    searches = [line for line in lines if _SEARCH.fullmatch(line.rstrip("\r"))]
    action = facts.get("action") or ("replace" if searches else "create")
    if ("to" in facts) != (action == "rename"):
        raise AnswerInvalid(f"answer: {_where(facts)}: 'to' belongs to action=\"rename\", and to no other.")
    path = facts["filename"]
    if action == "replace":
        yield from _replacements(facts, lines)
    elif searches:
        raise AnswerInvalid(f'answer: {_where(facts)}: SEARCH sections belong to action="replace".')
    elif action == "create":
        yield {"kind": "create", "path": path, "replace": "".join(f"{line}\n" for line in lines)}
    elif any(line.strip() for line in lines):
        raise AnswerInvalid(
            f"answer: {_where(facts)}: to {action} a file takes no text. Leave the block empty."
        )
    else:
        yield {"kind": action, "path": path, **({"to": facts["to"]} if action == "rename" else {})}


def _replacements(facts: Mapping[str, str], lines: Sequence[str]) -> Iterator[Mapping[str, Json]]:
    section: list[str] = []
    mark = 0
    found = False
    for line in lines:
        if not mark and (opened := _SEARCH.fullmatch(line.rstrip("\r"))):
            mark, section, found = len(opened[1]), [], True
        elif not mark and line.strip():
            raise AnswerInvalid(
                f"answer: {_where(facts)}: {line.strip()[:60]!r} stands outside SEARCH and REPLACE."
            )
        elif mark and re.fullmatch(rf">{{{mark}}} ?REPLACE[ \t\r]*", line):
            yield {"kind": "replace", "path": facts["filename"], **_halves(facts, section, mark)}
            mark = 0
        elif mark:
            section.append(line)
    if mark or not found:
        raise AnswerInvalid(
            f"answer: {_where(facts)}: it has no whole section. Write '<<<<<<< SEARCH', the old lines, "
            "'=======', the new lines and '>>>>>>> REPLACE', each mark on a line of its own."
        )


def _halves(facts: Mapping[str, str], section: Sequence[str], mark: int) -> Mapping[str, Json]:
    dividers = [number for number, line in enumerate(section) if line.rstrip("\r") == "=" * mark]
    if len(dividers) != 1:
        raise AnswerInvalid(
            f"answer: {_where(facts)}: between SEARCH and REPLACE there are {len(dividers)} lines of "
            f"{mark} '='. Write one; where the text itself has such a line, make all marks longer."
        )
    old, new = section[: dividers[0]], section[dividers[0] + 1 :]
    return {"search": "".join(f"{line}\n" for line in old), "replace": "".join(f"{line}\n" for line in new)}


def _unfenced(lines: Sequence[str]) -> Sequence[str]:
    """Return the lines without the one Markdown fence that is put round all of them."""
    fences = [number for number, line in enumerate(lines) if line.startswith("```")]
    is_fenced = len(fences) == 2 and fences == [0, len(lines) - 1] and _FENCE.fullmatch(lines[0].rstrip("\r"))
    return lines[1:-1] if is_fenced else lines


def _where(facts: Mapping[str, str]) -> str:
    return f"code block of {facts['filename'][:80]!r}"
