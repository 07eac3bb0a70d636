"""One session of the program: in the sandbox, with its caps, and what it printed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiops_analyzer_claude_cli.config import ClaudeCliConfig
from aiops_analyzer_claude_cli.ledger import Data, json_lines
from aiops_core import Prompt
from aiops_core.repair import AGENT_URL, Agent, Limits, Result, run_agent

EDITING = ("Read", "Edit", "Write", "Glob", "Grep")
_FORBIDDEN = (
    *("Bash", "BashOutput", "KillShell", "PowerShell", "REPL", "WebFetch", "WebSearch"),
    *("Task", "Agent", "Skill", "SlashCommand", "ToolSearch", "CronCreate", "Monitor", "NotebookEdit"),
)
_OUTPUT = 4 << 20
_TAIL = 300


@dataclass(frozen=True, slots=True)
class Ending:
    """How a session ended: the process, and the program's own last word, empty where it gave none."""

    process: Result
    said: Data

    @property
    def text(self) -> str:
        """What the agent answered."""
        return str(self.said.get("result") or "")

    @property
    def cost(self) -> float | None:
        """US dollars by the program's own account, None where it gave none."""
        cost: Any = self.said.get("total_cost_usd")  # Any: JSON
        return float(cost) if isinstance(cost, int | float) and 0 <= cost < 1e6 else None

    @property
    def last_words(self) -> str:
        """The end of what was printed, for people."""
        return " ".join(self.process.output[-_TAIL:].split())


def find_program(command: str, directory: Path) -> Path | None:
    """Return the program a setting names, None where there is none."""
    place = str(directory / Path(command).expanduser()) if os.sep in command else command
    found = shutil.which(place)
    return Path(found).resolve() if found else None


def run_session(
    config: ClaudeCliConfig,
    program: Path,
    prompt: Prompt,
    *,
    socket: Path,
    work: Path,
    home: Path,
    tools: Sequence[str] = EDITING,
) -> Ending:
    """Let the program work on one question in the checkout ``work`` until it ends or a cap ends it."""
    command = [str(program), *_arguments(config, prompt.system, tools)]
    agent = Agent(command, socket, _environment(config), [_installation(program)])
    limits = Limits(seconds=config.timeout.total_seconds(), output=_OUTPUT)
    result = run_agent(agent, prompt.user, work=work, home=home, limits=limits)
    ends = [line for line in json_lines(result.output) if line.get("type") == "result"]
    return Ending(result, ends[-1] if ends else {})


def _arguments(config: ClaudeCliConfig, system: str, tools: Sequence[str]) -> list[str]:
    """Return the arguments: everything off that is not needed, the question by standard input (S13)."""
    return [
        *("--print", "--output-format", "stream-json", "--verbose", "--no-session-persistence"),
        *("--model", config.model, "--append-system-prompt", system),
        *("--tools", ",".join(tools), "--disallowedTools", ",".join(_FORBIDDEN)),
        *("--permission-mode", "acceptEdits", "--setting-sources", "", "--strict-mcp-config"),
        *("--disable-slash-commands", "--max-turns", str(config.max_turns)),
        *("--max-budget-usd", f"{config.max_cost:g}", *config.arguments),
    ]


def _environment(config: ClaudeCliConfig) -> Mapping[str, str]:
    """Return the variables the program needs; the key is a word, the relay has the real one (S15)."""
    off = ("TELEMETRY", "ERROR_REPORTING", "AUTOUPDATER", "BUG_COMMAND")
    return {
        "ANTHROPIC_BASE_URL": AGENT_URL,
        "ANTHROPIC_API_KEY": "kept-by-the-relay",
        "ANTHROPIC_SMALL_FAST_MODEL": config.model,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",
        "CLAUDE_CODE_MAX_RETRIES": "2",  # without it, it tries for longer than anybody waits
        **{f"DISABLE_{name}": "1" for name in off},
    }


def _installation(program: Path) -> Path:
    """Return what has to be seen for the program to run: all packages it was installed with."""
    packages = [folder for folder in program.parents if folder.name == "node_modules"]
    return packages[-1] if packages else program
