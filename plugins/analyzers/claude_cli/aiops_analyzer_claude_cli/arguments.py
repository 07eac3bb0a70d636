"""Which arguments people may add to the program, and why others are refused."""

from __future__ import annotations

from collections.abc import Sequence

_ALLOWED = {"--effort": 1, "--fallback-model": 1, "--betas": 1, "--exclude-dynamic-system-prompt-sections": 0}
"""Harmless options and how many words they take."""
_PERMISSIONS = "it loosens what the agent may do"
_TOOLS = "the agent's tools are reading, searching and editing, no more and no fewer"
_OUTSIDE = "it brings in settings, tools or instructions that nobody checked"
_SESSION = "every session is a new one, and ends with its question"
_OWN = "this analyzer sets it"
_REFUSED = {
    **dict.fromkeys(
        ("--dangerously-skip-permissions", "--allow-dangerously-skip-permissions", "--permission-mode"),
        _PERMISSIONS,
    ),
    **dict.fromkeys(("--permission-prompt-tool", "--add-dir", "--ide", "--chrome"), _PERMISSIONS),
    **dict.fromkeys(("--remote-control", "--file", "--debug-file"), _PERMISSIONS),
    **dict.fromkeys(("--tools", "--allowedTools", "--allowed-tools"), _TOOLS),
    **dict.fromkeys(("--disallowedTools", "--disallowed-tools", "--brief"), _TOOLS),
    **dict.fromkeys(("--mcp-config", "--strict-mcp-config", "--settings", "--setting-sources"), _OUTSIDE),
    **dict.fromkeys(("--plugin-dir", "--plugin-url", "--agent", "--agents"), _OUTSIDE),
    **dict.fromkeys(("--system-prompt", "--system-prompt-file", "--append-system-prompt-file"), _OUTSIDE),
    **dict.fromkeys(("--continue", "-c", "--resume", "-r", "--session-id", "--fork-session"), _SESSION),
    **dict.fromkeys(("--from-pr", "--bg", "--background", "--worktree", "-w", "--tmux"), _SESSION),
    **dict.fromkeys(("-p", "--print", "--output-format", "--input-format", "--verbose"), _OWN),
    **dict.fromkeys(("--append-system-prompt", "--no-session-persistence", "--json-schema"), _OWN),
    "--model": "write it as the setting 'model'",
    "--max-turns": "write it as the setting 'max_turns'",
    "--max-budget-usd": "write it as the setting 'max_cost'",
    "--bare": "without the tools it takes away nothing can be written",
}


def check_arguments(arguments: Sequence[str]) -> None:
    """Raise ValueError for the first argument that is not known to be harmless, with the reason."""
    words = iter(arguments)
    for word in words:
        name, equals, _ = word.partition("=")
        if name not in _ALLOWED:
            reason = _REFUSED.get(name, "it is not known to leave sandbox and permissions as they are")
            raise ValueError(f"{name!r} is refused: {reason}. Allowed are {', '.join(_ALLOWED)}")
        for _ in range(0 if equals else _ALLOWED[name]):
            value = next(words, "-")
            if value.startswith("-"):
                raise ValueError(f"{name!r} needs a value after it")
