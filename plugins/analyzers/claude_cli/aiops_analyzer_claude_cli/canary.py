"""The proof, at every start and for every version, that the agent is locked in (S14).

A scripted model asks the real program, in the real sandbox, to run a shell, to write outside and
to write inside. It costs nothing: the script is the relay's upstream.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiops_analyzer_claude_cli.config import ClaudeCliConfig
from aiops_analyzer_claude_cli.ledger import Ledger
from aiops_analyzer_claude_cli.relay import Relay, Reply
from aiops_analyzer_claude_cli.session import Ending, run_session
from aiops_core import Prompt
from aiops_core.repair import AGENT_WORK

_CALLS = 10
_SHELL, _INSIDE, _OUTSIDE = "made-by-a-shell", "made-inside", "made-outside"


@dataclass(slots=True)
class _Script:
    """A model that asks for everything once, then ends."""

    outside: Path
    results: dict[str, bool] = field(default_factory=dict)
    """Which calls of tools were answered with an error."""

    def __call__(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        found = list(_results(json.loads(body)))
        self.results.update(found)
        content = [{"type": "text", "text": "done"}] if found else list(self._attempts())
        return Reply(200, _stream(content), {"content-type": "text/event-stream"})

    def _attempts(self) -> Iterator[dict[str, Any]]:  # Any: JSON
        shell = {"command": f"whoami > {AGENT_WORK}/{_SHELL}", "description": "look"}
        yield {"type": "tool_use", "id": "toolu_shell", "name": "Bash", "input": shell}
        for id_, place in (("outside", str(self.outside)), ("inside", f"{AGENT_WORK}/{_INSIDE}")):
            values = {"file_path": place, "content": "canary\n"}
            yield {"type": "tool_use", "id": f"toolu_{id_}", "name": "Write", "input": values}


def canary_problem(config: ClaudeCliConfig, program: Path) -> str | None:
    """Return why the program must not be used, None where it is shown to be locked in."""
    with tempfile.TemporaryDirectory(prefix="aiops-", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        work = root / "work"
        work.mkdir()
        script = _Script(root / _OUTSIDE)
        with Relay(script, Ledger(_CALLS)) as relay:
            ending = run_session(
                config, program, Prompt("Do as you are told.", "Look round."),
                socket=relay.socket, work=work, home=root / "home",
            )  # fmt: skip
        return _escape(root, script) or _failure(ending, work, script)


def _escape(root: Path, script: _Script) -> str | None:
    if (root / "work" / _SHELL).exists() or script.results.get("toolu_shell") is False:
        return "the agent could run a shell"
    if script.outside.exists() or script.results.get("toolu_outside") is False:
        return "the agent could write outside its checkout"
    return None


def _failure(ending: Ending, work: Path, script: _Script) -> str | None:
    if ending.process.stopped or ending.process.exit_code != 0 or ending.said.get("is_error", True):
        how = ending.process.stopped or f"exit code {ending.process.exit_code}"
        return f"the program does not work in the sandbox ({how}): {ending.text or ending.last_words}"
    if len(script.results) < 3 or not (work / _INSIDE).exists():
        return "the program did not do what the scripted model asked, so nothing is proven"
    return None


def _results(request: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:  # Any: JSON
    for message in request.get("messages", ()):
        content = message.get("content")
        for block in content if isinstance(content, list) else ():
            if block.get("type") == "tool_result":
                yield str(block.get("tool_use_id")), bool(block.get("is_error"))


def _stream(content: list[dict[str, Any]]) -> Iterator[bytes]:  # Any: JSON
    """Yield a message as the API streams it."""
    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {"id": "msg_canary", "type": "message", "role": "assistant", "model": "canary", "content": []}
    yield _event("message_start", message={**message, "stop_reason": None, "usage": usage})
    for index, block in enumerate(content):
        empty = {**block, "input": {}} if block["type"] == "tool_use" else {**block, "text": ""}
        yield _event("content_block_start", index=index, content_block=empty)
        delta = (
            {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
            if block["type"] == "tool_use"
            else {"type": "text_delta", "text": block["text"]}
        )
        yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
    why = "tool_use" if content[-1]["type"] == "tool_use" else "end_turn"
    yield _event("message_delta", delta={"stop_reason": why, "stop_sequence": None}, usage=usage)
    yield _event("message_stop")


def _event(name: str, **data: Any) -> bytes:  # Any: JSON
    return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode()
