"""Cases as others write them: the same facts under other names, brought into the shape of ``cases.py``.

What is known by no name is left alone here; ``cases.py`` says so and goes on without it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from repair_matrix.reasons import usual_reason

EXPECTED = {
    "expect": ("expected", "outcome", "expected_outcome"),
    "files": ("changed_files", "expected_files", "expected_changed_files"),
    "held_out": ("held_out_test", "held_out_command", "held_out_test_command", "held_out_tests"),
}
CASE = {"answers": ("expectations", "expected"), "requires": ("needs",)}
REPOSITORY = {"test": ("test_command",), "setup": ("setup_command",)}
TURN = {"text": ("content",), "tools": ("tool_calls", "tool_uses"), "stop_reason": ("stop",)}
TOOL = {"input": ("arguments", "args", "parameters"), "name": ("tool",)}
ANSWER = {
    "turns": ("messages", "responses"),
    "agent": ("edit_script", "edits", "script", "acts"),
    "talk": ("conversation", "comments"),
}
_OUTCOMES = {
    **dict.fromkeys(("blocked", "block", "refused", "rejected", "denied"), "blocked"),
    **dict.fromkeys(("opened", "open", "ready", "pr", "request", "pr-opened"), "opened"),
    **dict.fromkeys(("draft", "drafted", "unverified", "draft-pr"), "draft"),
}
_WRITES = frozenset({"write", "create", "add"})
_REPLACES = frozenset({"replace", "edit", "modify"})
_DELETES = frozenset({"delete", "remove", "rm", "unlink"})
_RUNS = frozenset({"run", "python", "exec"})
_SHELLS = frozenset({"sh", "shell", "bash", "command"})
_KEYS = {
    **dict.fromkeys(_WRITES, "write"),
    **dict.fromkeys(_REPLACES, "replace"),
    **dict.fromkeys(_DELETES, "delete"),
    **dict.fromkeys(_RUNS, "run"),
    **dict.fromkeys(_SHELLS, "sh"),
    **dict.fromkeys(("content", "new"), "text"),
    **dict.fromkeys(("old", "find"), "search"),
}
"""Keys of an act by their other names."""


def usual_case(raw: Any, ids: Collection[str]) -> Any:
    """Return the facts of ``case.yaml``; ``ids`` are those of the answers that are there."""
    if not isinstance(raw, Mapping):
        return raw
    case = _named(raw, CASE)
    if "answers" not in case and (own := {key: case.pop(key) for key in list(case) if key in ids}):
        case["answers"] = own
    commands = _named(case, REPOSITORY)
    given = {key: commands[key] for key in REPOSITORY if key in commands and isinstance(commands[key], str)}
    case = {key: value for key, value in commands.items() if key not in given}
    if given:
        case["repository"] = {**given, **(case.get("repository") or {})}
    if isinstance(case.get("answers"), Mapping):
        case["answers"] = {str(key): _expectation(value) for key, value in case["answers"].items()}
    return case


def usual_answer(raw: Any) -> Any:
    """Return the facts of an answer's file."""
    if isinstance(raw, list):
        raw = {"turns": raw}
    if not isinstance(raw, Mapping):
        return raw
    answer = _named(raw, ANSWER)
    if not {"turns", "agent"} & answer.keys():
        own = [
            key
            for key in list(answer)
            if key in {*TURN, *(name for names in TURN.values() for name in names)}
        ]
        if own:
            answer.pop("role", None)
            answer["turns"] = [{key: answer.pop(key) for key in own}]
    if isinstance(answer.get("turns"), list):
        answer["turns"] = [_turn(turn) for turn in answer["turns"]]
    if isinstance(answer.get("agent"), list):
        answer["agent"] = [_act(act) for act in answer["agent"]]
    return answer


def _named(raw: Mapping[str, Any], names: Mapping[str, Collection[str]]) -> dict[str, Any]:
    """Return the mapping with the usual names; a usual name that is there already wins."""
    usual = {other: name for name, others in names.items() for other in others}
    found = {str(key): value for key, value in raw.items() if key not in usual}
    for key, value in raw.items():
        found.setdefault(usual.get(str(key), str(key)), value)
    return found


def _expectation(raw: Any) -> Any:
    if isinstance(raw, str):
        return {"expect": _outcome(raw)}
    if not isinstance(raw, Mapping):
        return raw
    expected = _named(_with_reason(raw), EXPECTED)
    if isinstance(expected.get("expect"), Mapping):
        expected["expect"] = _with_reason(expected["expect"])
        expected = {**expected, **_named(expected.pop("expect"), EXPECTED)}
    said = expected.get("expect")
    if isinstance(said, str):
        outcome = _outcome(said)
        if outcome == "blocked" and isinstance(expected.get("reason"), str):
            outcome = f"blocked:{usual_reason(expected.pop('reason'))}"
        expected["expect"] = outcome
    if isinstance(expected.get("files"), Mapping):
        expected["files"] = list(expected["files"])
    return expected


def _with_reason(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``{blocked: secret}`` as an outcome with its reason."""
    found = next((key for key in raw if _OUTCOMES.get(str(key).lower()) == "blocked"), None)
    if found is None or not isinstance(raw[found], str):
        return raw
    return {**{key: value for key, value in raw.items() if key != found}, "expect": f"blocked:{raw[found]}"}


def _outcome(text: str) -> str:
    """Return an outcome in our words; what is none stays, to be named as a mistake."""
    word, _, reason = text.strip().partition(":")
    outcome = _OUTCOMES.get(usual_reason(word), text)
    return f"{outcome}:{usual_reason(reason)}" if outcome == "blocked" and reason.strip() else outcome


def _turn(raw: Any) -> Any:
    if isinstance(raw, str):
        return {"text": raw}
    if not isinstance(raw, Mapping):
        return raw
    turn = _named(raw, TURN)
    if turn.get("role") == "assistant":
        del turn["role"]
    if isinstance(turn.get("text"), list):  # as the Messages API has it
        blocks = turn["text"]
        turn["text"] = "".join(block.get("text", "") for block in blocks if block.get("type") == "text")
        turn["tools"] = [block for block in blocks if block.get("type") == "tool_use"] or turn.get(
            "tools", []
        )
    if isinstance(turn.get("tools"), list):
        turn["tools"] = [_tool(tool) for tool in turn["tools"]]
    return turn


def _tool(raw: Any) -> Any:
    if not isinstance(raw, Mapping):
        return raw
    tool = _named(raw.get("function") or raw, TOOL)
    for key in ("id", "type"):
        tool.pop(key, None)
    if isinstance(tool.get("input"), str):
        tool["input"] = json.loads(tool["input"])
    return tool


def _act(raw: Any) -> Any:
    """Return an act of an agent; its verb may be a key or the value of ``op``, its text have other names."""
    if not isinstance(raw, Mapping):
        return raw
    verb = next((str(raw[key]) for key in ("op", "action", "kind", "type") if key in raw), "")
    if not verb:
        return {_KEYS.get(str(key), str(key)): value for key, value in raw.items()}
    path = next((raw[key] for key in ("path", "file", "filename") if key in raw), "")
    text = next(
        (raw[key] for key in ("text", "content", "new", "replace", "code", "command") if key in raw), ""
    )
    search = next((raw[key] for key in ("search", "old", "find") if key in raw), "")
    if verb in _WRITES:
        return {"write": path, "text": text}
    if verb in _REPLACES:
        return {"replace": path, "search": search, "text": text}
    if verb in _DELETES:
        return {"delete": path}
    if verb in _RUNS:
        return {"run": text}
    if verb in _SHELLS:
        return {"sh": text}
    return dict(raw)
