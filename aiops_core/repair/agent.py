"""Run a coding agent where all it can reach is a checkout, a home of its own and one socket file."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

from aiops_core.repair.process import Limits, Result
from aiops_core.repair.sandbox import HOME, WORK, Bubblewrap, Room

AGENT_WORK = WORK
"""Where an agent finds its checkout."""
AGENT_URL = "http://127.0.0.1:8017"
"""Where an agent reaches what listens on the socket file."""
_BRIDGE = Path(__file__).with_name("_bridge.py")
_QUESTION = "question"


class Agent(Struct, frozen=True):
    """One agent: its command, all that stands in its environment, what it reads and may reach.

    ``programs`` are the files and directories outside the system that the command needs.
    """

    command: Sequence[str]
    socket: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    programs: Sequence[Path] = ()


def run_agent(agent: Agent, question: str, *, work: Path, home: Path, limits: Limits) -> Result:
    """Put a question to an agent in bubblewrap, on its standard input; return how it ended.

    It may write to ``work`` and ``home`` alone, has no network but the socket file, and neither a
    variable nor a file of ours. Afterwards none of its processes is alive. There is no other
    sandbox for agents: where ``sandbox_problem`` has something to say, do not call this.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.joinpath(_QUESTION).write_text(question, "utf-8", "replace")
    port = AGENT_URL.rpartition(":")[2]
    bridge = [sys.executable, "-I", "-S", str(_BRIDGE), str(agent.socket), port, f"{HOME}/{_QUESTION}"]
    room = Room(work, home, (_BRIDGE, agent.socket, *agent.programs))
    command = shlex.join([*bridge, *agent.command])
    return Bubblewrap().run(command, room, limits, env=agent.environment)
