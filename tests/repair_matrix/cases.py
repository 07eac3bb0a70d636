"""Read a folder of cases: bugs, scripted answers and what is to become of each of them.

``docs/repair-matrix.md`` describes the files. Every mistake is told as ``file:line: where: what``; a key
nobody knows is told like that too, and left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import ConfigDict, Field, field_validator, model_validator
from repair_matrix.shapes import usual_answer, usual_case

from aiops_core import replace
from aiops_core.document import Text, check, read, spell
from aiops_core.errors import DocumentError, Problem, UserError
from aiops_core.settings import Config

CLASSES = {
    "G": "good",
    "W": "wrong",
    "M": "malformed",
    "X": "malicious",
    "A": "agentic",
    "I": "infrastructure",
    "C": "conversation",
}
OUTSIDE, PORT = "@OUTSIDE@", "@PORT@"
"""Stand in an answer for a directory that nothing may touch, and a port nothing may call."""
_EXPLAINED = json.dumps(
    {
        "title": "The scripted agent mended it",
        "summary": "An error was logged; the agent changed files.",
        "root_cause": "Not told by the script.",
        "confidence": 0.9,
    }
)
_OUTCOME = re.compile(r"opened|draft|blocked(?::[a-z][a-z0-9-]*)?")
_LETTER = re.compile(rf"([{''.join(CLASSES)}])(?:\d|$)")
OTHER = "other"
"""Class of answers that name none."""


class Lenient(Config):
    """Keep keys nobody knows, to tell of them."""

    model_config = ConfigDict(extra="allow")


def class_of(answer: str, given: str = "") -> str:
    """Return the class of an answer, by the name given, its letter or the word its id begins with."""
    if given:
        return CLASSES.get(given, given)
    if match := _LETTER.match(answer):
        return CLASSES[match[1]]
    return next((name for name in CLASSES.values() if answer.lower().startswith(name)), OTHER)


class Expected(Lenient):
    """What is to become of one answer."""

    expect: str
    """``opened``, ``draft``, ``blocked:REASON``, or ``blocked`` for any reason."""
    files: list[str] | None = None
    """Paths the request changes, all of them; not looked at when missing."""
    held_out: str = ""
    """Command that runs tests nobody saw, in the tree of the request, with ``held_out/`` copied into it."""
    held_out_passes: bool = True
    """Whether that command is to end with exit code 0."""
    says: str = ""
    """Words that the reason, or the text of the request, must hold."""
    absent: list[str] = Field(default_factory=list)
    """Texts that the request and its commit must not hold."""
    commits: int | None = None
    """How many commits the request has in the end; not looked at when missing."""
    class_: str = Field("", alias="class")
    """Class of the answer, where its id does not tell."""

    @field_validator("class_")
    @classmethod
    def _is_class(cls, value: str) -> str:
        if value and value not in {*CLASSES, *CLASSES.values()}:
            raise ValueError(f"{value!r} is no class. Write one of {', '.join(CLASSES.values())}")
        return value

    @field_validator("expect")
    @classmethod
    def _is_outcome(cls, value: str) -> str:
        if not _OUTCOME.fullmatch(value):
            raise ValueError(f"{value!r} is none of opened, draft and blocked:REASON. Write one of them")
        return value

    @property
    def outcome(self) -> str:
        """``opened``, ``draft`` or ``blocked``."""
        return self.expect.partition(":")[0]

    @property
    def reason(self) -> str:
        """The name after ``blocked:``, "" for any."""
        return self.expect.partition(":")[2]


class CaseFile(Lenient):
    """``case.yaml``."""

    repository: dict[str, Any] = Field(default_factory=dict)
    """Settings of the pipeline's ``repository``, without ``url`` and ``token``."""
    policy: dict[str, Any] = Field(default_factory=dict)
    """Settings of the pipeline's ``policy``."""
    detectors: list[str] = Field(default_factory=list)
    """Detectors of the pipeline; all of them when empty."""
    requires: list[str] = Field(default_factory=list)
    """Programs without which the case is left out."""
    answers: dict[str, Expected] = Field(min_length=1)
    """Expectations by the id of the answer."""


class Tool(Lenient):
    """One call of a tool."""

    name: str
    """Name of the tool."""
    input: dict[str, Any] = Field(default_factory=dict)
    """Its arguments."""


class Turn(Lenient):
    """One message of the scripted model, or an error of its API."""

    text: str = ""
    """What the model writes."""
    repeat: int = Field(default=1, ge=1, le=10_000_000)
    """How often it writes that."""
    tools: list[Tool] = Field(default_factory=list)
    """Tools it calls; the stop reason is then ``tool_use``."""
    stop_reason: str = "end_turn"
    """Why it stopped."""
    error: int = Field(default=0, ge=0, le=599)
    """HTTP status of an error to answer with instead; 0: none."""

    @model_validator(mode="after")
    def _says_something(self) -> Turn:
        if not {"text", "tools", "stop_reason", "error"} & self.model_fields_set:
            known = f", only {', '.join(map(repr, self.model_extra))}" if self.model_extra else ""
            raise ValueError(f"has none of text, tools, stop_reason and error{known}. Write one of them")
        return self


class Act(Lenient):
    """One thing the scripted agent does in its checkout; exactly one of the first five is set."""

    write: str = ""
    """File to write ``text`` into."""
    replace: str = ""
    """File in which the one place of ``search`` becomes ``text``."""
    delete: str = ""
    """File to remove."""
    run: str = ""
    """Python code to run as the agent's process, an agent that was taken over."""
    sh: str = ""
    """The same as a command of the shell."""
    search: str = ""
    """What ``replace`` looks for."""
    text: str = ""
    """What ``write`` and ``replace`` write."""

    @model_validator(mode="after")
    def _is_one(self) -> Act:
        if sum(map(bool, (self.write, self.replace, self.delete, self.run, self.sh))) != 1:
            raise ValueError("has not exactly one of write, replace, delete, run and sh. Write one of them")
        return self


class Trouble(Lenient):
    """What goes wrong round a good answer."""

    call: Literal["", "creating", "labelling"] = ""
    """Call of the forge's API that fails."""
    kind: Literal["expired", "scope", "forbidden", "missing", "exists", "outage"] = "outage"
    """How it fails, in the forge's own words."""
    after: bool = False
    """Whether the forge carries the call out before it fails."""
    times: int = Field(default=1, ge=1)
    """How often it fails."""
    push: list[str] = Field(default_factory=list)
    """What the remote says when it declines the push."""
    git: int = Field(default=0, ge=0, le=599)
    """HTTP status the git server answers with; 0: none."""
    kill: str = ""
    """Failpoint, as ``name`` or ``name:n``, at which the process dies by SIGKILL before it is started again."""
    repeat: int = Field(default=1, ge=1, le=10)
    """How often the pipeline runs over the same state, each time with the whole log once more."""


class Word(Lenient):
    """One thing somebody does on an open request; exactly one of the first four is set."""

    say: str | None = None
    """Comment to write."""
    state: Literal["", "closed", "merged"] = ""
    """What becomes of the request."""
    commit: str = ""
    """File to commit to its branch, with ``text``."""
    wait: bool = False
    """Whether all that is due is done before the next; at the end it is in any case."""
    by: str = "ann"
    """Who says it: ann and bob may push, eve may read, mallory is a stranger, robot a bot, aiops-bot ourselves."""
    path: str = ""
    """File of the changes it stands at, with its line."""
    line: int = 1
    edited: bool = False
    """Whether it was edited before anybody heard it."""
    text: str = ""
    """What ``commit`` writes."""

    @model_validator(mode="after")
    def _is_one(self) -> Word:
        if sum((self.say is not None, bool(self.state), bool(self.commit), self.wait)) != 1:
            raise ValueError("has not exactly one of say, state, commit and wait. Write one of them")
        return self


class AnswerFile(Lenient):
    """``answers/ID.json``."""

    turns: list[Turn] = Field(default_factory=list)
    """What the model says, in this order; the last one again and again."""
    agent: list[Act] = Field(default_factory=list)
    """What an agent does before it says the turns; makes the analyzer ``claude_cli``."""
    trouble: Trouble = Trouble()
    """What else goes wrong."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Settings of the analyzer."""
    talk: list[Word] = Field(default_factory=list)
    """What people do on the request once it is open, one after the other."""

    @model_validator(mode="before")
    @classmethod
    def _explains(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("agent") and not value.get("turns"):
            return {**value, "turns": [{"text": _EXPLAINED}]}
        return value

    @model_validator(mode="after")
    def _says_something(self) -> AnswerFile:
        if not self.turns:
            raise ValueError("the model says nothing. Write at least one turn, or what an agent does")
        return self


@dataclass(frozen=True)
class Case:
    """One bug with its answers."""

    name: str
    path: Path
    file: CaseFile
    answers: Mapping[str, AnswerFile]


def read_cases(root: Path, note: Callable[[str], None] = lambda text: None) -> list[Case]:
    """Return the cases below a folder; raise UserError that names every mistake.

    ``note`` is told of what nobody knows, and goes on without.
    """
    if not root.is_dir():
        raise UserError(f"{root}: no such folder. Name one that holds CASE/case.yaml")
    folders = sorted(path.parent for path in root.glob("*/case.yaml"))
    if not folders:
        raise UserError(f"{root}: holds no CASE/case.yaml. Name a folder of cases")
    problems: list[Problem] = []
    notes: list[Problem] = []
    cases = [case for folder in folders if (case := _read_case(folder, problems, notes)) is not None]
    for one in notes:
        note(str(one))
    if problems:
        raise DocumentError(problems)
    return cases


def _read_case(folder: Path, problems: list[Problem], notes: list[Problem]) -> Case | None:
    path = folder / "case.yaml"
    text = _read(path, problems)
    if text is None:
        return None
    there = {found.stem for found in (folder / "answers").glob("*.json")}
    text.spots |= {
        ("answers", *place): spot for place, spot in text.spots.items() if place[:1] and place[0] in there
    }
    file = cast("CaseFile | None", check(CaseFile, usual_case(text.value, there), text, ()))
    for needed in ("repo", "error.log"):
        if not (folder / needed).exists():
            text.problem((), f"{needed} is missing beside this file. Add it", where="case")
    answers: dict[str, AnswerFile] = {}
    if file is not None:
        notes += _unknown(file, text, ())
        for name in file.answers:
            if name not in there:
                text.problem(
                    ("answers", name), f"answers/{name}.json is missing. Add it, or remove this entry"
                )
            elif (answer := _read_answer(folder / "answers" / f"{name}.json", problems, notes)) is not None:
                answers[name] = answer
        for name in sorted(there - set(file.answers)):
            text.problem(("answers",), f"says nothing of answers/{name}.json. Write what is expected of it")
    problems += [replace(problem, path=str(path)) for problem in text.problems]
    return Case(folder.name, folder, file, answers) if file is not None else None


def _read(path: Path, problems: list[Problem]) -> Text | None:
    try:
        return read(path, environment={})
    except DocumentError as error:
        problems += [replace(problem, path=str(path)) for problem in error.problems]
    except UserError as error:
        problems.append(Problem(str(path), 0, 0, "", str(error)))
    return None


def _read_answer(path: Path, problems: list[Problem], notes: list[Problem]) -> AnswerFile | None:
    text = Text(path)
    try:
        source = path.read_text("utf-8")
        text.value = usual_answer(json.loads(source))
    except UnicodeDecodeError as error:
        problems.append(Problem(str(path), 1, 1, "", f"not UTF-8 at byte {error.start}. Save it as UTF-8"))
        return None
    except ValueError as error:
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        said = getattr(error, "msg", str(error))
        problems.append(Problem(str(path), line, column, "", f"no valid JSON: {said}. Mend this line"))
        return None
    answer = cast("AnswerFile | None", check(AnswerFile, text.value, text, ()))
    if answer is None or _unknown(answer, text, ()):  # JSON is YAML, which remembers places
        text = Text(path, text.value, read(path, environment={}).spots)
        check(AnswerFile, text.value, text, ())
        problems += [replace(problem, path=str(path)) for problem in text.problems]
        notes += _unknown(answer, text, ()) if answer is not None else []
    return answer


def _unknown(model: Any, text: Text, place: tuple[str | int, ...]) -> list[Problem]:
    """Return a note for every key nobody knows."""
    if isinstance(model, dict | list | tuple):
        parts = model.items() if isinstance(model, dict) else enumerate(model)
        return [one for key, value in parts for one in _unknown(value, text, (*place, key))]
    if not isinstance(model, Lenient):
        return []
    said = Text(text.path, spots=text.spots)
    for key in model.model_extra or ():
        said.problem((*place, key), f"{key!r} is not known here, and left out", where=spell(place) or "case")
    found = [replace(problem, path=str(text.path)) for problem in said.problems]
    return found + [
        one
        for name in type(model).model_fields
        for one in _unknown(getattr(model, name), text, (*place, name.rstrip("_")))
    ]


def placed(answer: AnswerFile, outside: Path, port: int) -> AnswerFile:
    """Return the answer with the directory that nothing may touch and the port nothing may call."""
    text = answer.model_dump_json().replace(OUTSIDE, json.dumps(str(outside))[1:-1])
    return AnswerFile.model_validate_json(text.replace(PORT, str(port)))
