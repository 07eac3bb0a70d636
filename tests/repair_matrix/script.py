"""What the scripted model says, as messages of its API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count

from repair_matrix.cases import Act, AnswerFile, Turn
from repair_matrix.scene import KEY

from aiops_core.testing.messages_api import Failure, Message, MessagesApi, Scripted, ToolUse

WORK = "/aiops/work"


def scripted_model(answer: AnswerFile) -> MessagesApi:
    """Return the model's API: the agent's acts, then the turns, the last of them again and again."""
    messages = list(_messages(answer))
    return MessagesApi(messages, usual=messages[-1], key=KEY)


def _messages(answer: AnswerFile) -> Iterator[Scripted]:
    numbers = count()
    if answer.agent:
        tools = tuple(_tool(act, next(numbers)) for act in answer.agent)
        yield Message(stop_reason="tool_use", tools=tools)
    for turn in answer.turns:
        yield _message(turn, numbers)


def _message(turn: Turn, numbers: Iterator[int]) -> Scripted:
    if turn.error:
        return Failure(turn.error, "api_error", "scripted failure")
    tools = tuple(ToolUse(tool.name, tool.input, f"toolu_{next(numbers)}") for tool in turn.tools)
    stop = "tool_use" if tools and turn.stop_reason == "end_turn" else turn.stop_reason
    return Message(turn.text * turn.repeat, stop_reason=stop, tools=tools)


def _tool(act: Act, number: int) -> ToolUse:
    id_ = f"toolu_act{number}"
    if act.write:
        return ToolUse("Write", {"file_path": f"{WORK}/{act.write}", "content": act.text}, id_)
    if act.replace:
        place = f"{WORK}/{act.replace}"
        return ToolUse("Edit", {"file_path": place, "old_string": act.search, "new_string": act.text}, id_)
    if act.delete:
        return ToolUse("Python", {"code": f"import os\nos.unlink({json.dumps(act.delete)})"}, id_)
    if act.sh:
        code = f"import subprocess\nout.append(subprocess.run({act.sh!r}, shell=True, capture_output=True))"
        return ToolUse("Python", {"code": code}, id_)
    return ToolUse("Python", {"code": act.run}, id_)
