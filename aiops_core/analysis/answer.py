"""What an analyzer may answer, and how such an answer becomes an Analysis or nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Literal

from msgspec.structs import replace
from pydantic import BeforeValidator, ConfigDict, Field, ValidationError

from aiops_core.analysis.code_blocks import AnswerInvalid, take_code_blocks
from aiops_core.documented import Documented
from aiops_core.records import Analysis, CodeSample, Edit, Json, Usage
from aiops_core.text.redaction import placeholders
from aiops_core.text.sanitising import clean

_LONGEST_ANSWER = 1_000_000
_FENCED = re.compile(r"^```[A-Za-z]*[ \t]*\n(.*?)\n```[ \t]*$", re.MULTILINE | re.DOTALL)


def _known_kind(value: Any) -> Any:  # Any: whatever stands in the answer
    return value.strip().lower() if isinstance(value, str) else value


class _Part(Documented):
    """Refuse keys nobody asked for: a second answer may hide in them."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class CodeSampleAnswer(_Part):
    """A piece of code shown to people, never applied."""

    title: str = Field(default="", max_length=200)
    """What the code shows."""
    code: str = Field(max_length=8_000)
    """The code."""
    language: str = Field(default="", max_length=40)
    """Its language, in one word."""


class EditAnswer(_Part):
    """One change of one file."""

    kind: Annotated[Literal["replace", "create", "delete", "rename"], BeforeValidator(_known_kind)]
    """replace: search becomes replace; create: a new file; delete: remove it; rename: move it to `to`."""
    path: str = Field(min_length=1, max_length=500)
    """Path of the file in the repository, as the evidence names it."""
    search: str = Field(default="", max_length=60_000)
    """For replace: text that occurs exactly once in the file, copied without line numbers."""
    replace: str = Field(default="", max_length=200_000)
    """For replace: the text in its place. For create: the whole file."""
    to: str = Field(default="", max_length=500)
    """For rename: the new path."""


class AnalysisAnswer(_Part):
    """The answer an analyzer gives: one explanation and at most one set of edits."""

    title: str = Field(min_length=1, max_length=200)
    """What is wrong, in one line."""
    summary: str = Field(min_length=1, max_length=3_000)
    """What happened and what it means for users, in a few sentences."""
    root_cause: str = Field(min_length=1, max_length=8_000)
    """Why it happened, with the evidence it rests on."""
    repair_steps: list[Annotated[str, Field(max_length=2_000)]] = Field(default=[], max_length=20)
    """What to do, step by step."""
    code_samples: list[CodeSampleAnswer] = Field(default=[], max_length=10)
    """Code that helps people to understand; never applied."""
    prevention: list[Annotated[str, Field(max_length=2_000)]] = Field(default=[], max_length=20)
    """How to keep it from happening again."""
    cited: list[Annotated[str, Field(max_length=20)]] = Field(default=[], max_length=50)
    """Ids of the evidence this rests on, such as E1."""
    confidence: float = Field(ge=0, le=1)
    """How sure the root cause is, from 0 (a guess) to 1 (proven by the evidence)."""
    provable: bool = True
    """False when this data cannot prove the root cause."""
    edits: list[EditAnswer] = Field(default=[], max_length=20)
    """The one smallest set of edits that repairs the code; empty when unsure or when no code is wrong."""


def parse_answer(
    answer: str | Mapping[str, Json],
    evidence_ids: Collection[str] | None = None,
    *,
    analyzer: str = "",
    usage: Usage | None = None,
) -> Analysis:
    """Return the analysis an answer states; raise AnswerInvalid for anything that is not exactly one.

    Text may hold prose round one JSON object, and the edits as code blocks instead of in the
    object. Cited ids that no evidence has are dropped, and the
    analysis is then marked as not provable: it leans on something that is not there.
    """
    data = dict(answer) if isinstance(answer, Mapping) else _read(answer)
    try:
        parsed = AnalysisAnswer.model_validate(data)
    except ValidationError as error:
        raise AnswerInvalid(f"answer: {_first_problem(error)}") from None
    edits = tuple(_edit(number, edit) for number, edit in enumerate(parsed.edits, 1))
    _refuse_alternatives(edits)
    cited = tuple(dict.fromkeys(id_.strip() for id_ in parsed.cited))
    known = cited if evidence_ids is None else tuple(id_ for id_ in cited if id_ in evidence_ids)
    is_provable = parsed.provable and known == cited
    said = _cleaned(parsed)
    return replace(said, cited=known, provable=is_provable, edits=edits, analyzer=analyzer, usage=usage)


def _cleaned(parsed: AnalysisAnswer) -> Analysis:
    return Analysis(
        title=clean(parsed.title, keep_newlines=False),
        summary=clean(parsed.summary).strip(),
        root_cause=clean(parsed.root_cause).strip(),
        repair_steps=_texts(parsed.repair_steps),
        code_samples=tuple(_sample(sample) for sample in parsed.code_samples),
        prevention=_texts(parsed.prevention),
        confidence=parsed.confidence,
    )


def _texts(texts: list[str]) -> tuple[str, ...]:
    return tuple(text for text in (clean(text).strip() for text in texts) if text)


def _sample(sample: CodeSampleAnswer) -> CodeSample:
    title, language = clean(sample.title, keep_newlines=False), clean(sample.language, keep_newlines=False)
    return CodeSample(title, clean(sample.code), language)


_ALLOWED: Mapping[str, frozenset[str]] = {
    "replace": frozenset({"search", "replace"}),
    "create": frozenset({"replace"}),
    "delete": frozenset(),
    "rename": frozenset({"to"}),
}


def _edit(number: int, edit: EditAnswer) -> Edit:
    """Check one edit as far as it can be checked without the file."""
    where = f"answer: edits[{number}] ({edit.kind} {edit.path[:80]!r})"
    texts = {"search": edit.search, "replace": edit.replace, "to": edit.to}
    for name, text in texts.items():
        if text and name not in _ALLOWED[edit.kind]:
            raise AnswerInvalid(f"{where}: '{name}' means nothing here. Leave it empty.")
        known = placeholders(edit.search) if edit.kind == "replace" and name != "to" else frozenset()
        if placeholders(text) - known:
            raise AnswerInvalid(f"{where}: '{name}' holds a redaction placeholder, not the file's text.")
    if edit.kind == "replace" and not edit.search:
        raise AnswerInvalid(f"{where}: 'search' is empty. Quote text that occurs exactly once in the file.")
    if edit.kind == "rename" and not edit.to:
        raise AnswerInvalid(f"{where}: 'to' is empty. Name the new path.")
    if any(clean(path) != path or "\n" in path for path in (edit.path, edit.to)):
        raise AnswerInvalid(f"{where}: the path holds invisible characters.")
    return Edit(edit.kind, edit.path, edit.search, edit.replace, edit.to)


def _refuse_alternatives(edits: tuple[Edit, ...]) -> None:
    places = [(edit.path, edit.search) for edit in edits]
    twice = next((place for place in places if places.count(place) > 1), None)
    if twice is not None:
        raise AnswerInvalid(
            f"answer: it proposes alternatives: {twice[0]!r} is edited twice at one place. "
            "Propose one edit set or none."
        )


def _read(text: str) -> dict[str, Json]:
    """Return the JSON object of a text, with the edits of its code blocks."""
    if len(text) > _LONGEST_ANSWER:
        raise AnswerInvalid(f"answer: {len(text)} characters are too many, {_LONGEST_ANSWER} are allowed.")
    rest, blocks = take_code_blocks(text)
    data = dict(_only_object(rest))
    if blocks and data.get("edits"):
        raise AnswerInvalid(
            "answer: it has edits in the JSON object and in code blocks, alternatives perhaps. Use one of them."
        )
    return {**data, "edits": blocks} if blocks else data


def _only_object(text: str) -> Mapping[str, Json]:
    """Return the one JSON object in the text: bare, fenced, or with prose round it."""
    objects = _objects([text]) or _objects(_FENCED.findall(text)) or _objects(_balanced(text))
    if not objects:
        raise AnswerInvalid(
            "answer: it holds no whole JSON object. Answer with one JSON object and nothing else."
        )
    if len(objects) > 1:
        raise AnswerInvalid(f"answer: it holds {len(objects)} JSON objects, alternatives perhaps. Give one.")
    return objects[0]


def _objects(texts: Collection[str] | Iterator[str]) -> list[Mapping[str, Json]]:
    found = []
    for text in texts:
        try:
            value = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_key_twice)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, Mapping):
            found.append(value)
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _no_key_twice(pairs: list[tuple[str, Json]]) -> Mapping[str, Json]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise AnswerInvalid(
            f"answer: '{twice[:40]}' stands twice in one object, alternatives perhaps. Give one."
        )
    return dict(pairs)


def _balanced(text: str) -> Iterator[str]:
    """Yield the outermost ``{…}`` parts of a text, in which braces inside strings count nothing."""
    depth, start, in_string, escaped = 0, 0, False, False
    for index, char in enumerate(text):
        if in_string:
            in_string, escaped = escaped or char != '"', char == "\\" and not escaped
        elif char == '"' and depth:
            in_string = True
        elif char == "{":
            start, depth = (index if depth == 0 else start), depth + 1
        elif char == "}" and depth:
            depth -= 1
            if depth == 0:
                yield text[start : index + 1]


_ALTERNATIVES = re.compile(r"alternative|option|edit_?sets?|second|other|fix_?\d|edits_?\d", re.IGNORECASE)


def _first_problem(error: ValidationError) -> str:
    """Say the first problem in words a model and a person can act on."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "it"
    name = str(first["loc"][-1]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        if _ALTERNATIVES.search(name):
            return f"'{where}' proposes alternatives. Propose one edit set or none."
        return f"'{where}' is no key of an answer. Leave it out."
    if "edits" in first["loc"] and first["type"] == "model_type":
        return f"'{where}' is no edit: several edit sets are alternatives. Propose one edit set or none."
    return f"'{where}': {first['msg']}."
