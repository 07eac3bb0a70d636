"""A pipeline file from the variables that programs of this kind are usually set up with."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from aiops_core.catalogue import Catalogue
from aiops_core.draft.draft import Draft, Part
from aiops_core.draft.forges import forge_action
from aiops_core.errors import AiopsError, UserError

VARIABLES = (
    "LOG_FILE_PATH",
    "CODE_HOST",
    "GITHUB_TOKEN",
    "GITHUB_REPO",
    "GITLAB_BASE_URL",
    "GITLAB_TOKEN",
    "GITLAB_PROJECT",
    "ANTHROPIC_API_KEY",
    "CLAUDE_COMMAND",
    "CLAUDE_FIX_MODE",
    "CLAUDE_ARGS",
    "SMTP_SERVER",
    "SMTP_PORT",
    "SMTP_USER",
    "SMTP_PASSWORD",
    "RECEIVER_EMAIL",
    "SLACK_WEBHOOK_URL",
)
_LISTED = re.compile(r"[,;\s]+")
_AGENTS = ("agent", "cli", "code")
"""Beginnings and parts of words that ask for an agent in a checkout."""
_OWN_SETTING = {"--model": "model"}
"""Arguments of the agent that are settings here."""
_SECURITY = {"465": "tls"}


def from_environment(environment: Mapping[str, str]) -> Draft:
    """Return what the usual variables say; raise UserError when none of them is set."""
    given = {name: environment[name].strip() for name in VARIABLES if environment.get(name, "").strip()}
    if not given:
        raise UserError(f"none of these variables is set: {', '.join(VARIABLES)}. Set those you need")
    draft = Draft("service", notes=[f"variables: {', '.join(given)}"])
    paths = _LISTED.split(given["LOG_FILE_PATH"]) if "LOG_FILE_PATH" in given else ["./app.log"]
    note = "" if "LOG_FILE_PATH" in given else "LOG_FILE_PATH was not set: name your log files here."
    draft.sources.append(Part("file", {"paths": paths}, note))
    forge, url = _repository(given)
    if url:
        draft.repository["url"] = url
        draft.repository_off["test"] = "make test"
        draft.actions += forge_action(draft, url, given, forge)
    draft.analyzers += [*_analyzers(given), Part("knowledge", note="Known errors and their remedies.")]
    draft.notifiers += list(_notifiers(given)) or [Part("console")]
    if all(part.off for part in draft.notifiers):
        draft.notifiers.append(Part("console"))
    return draft


def _repository(given: Mapping[str, str]) -> tuple[str, str]:
    """Return the forge and the address of the repository; "" where it is not told."""
    project, repo = given.get("GITLAB_PROJECT", ""), given.get("GITHUB_REPO", "")
    chosen = given.get("CODE_HOST", "").lower()
    if repo and ("gitlab" not in chosen or not project):
        return "github", _address("https://github.com", repo)
    if project and not project.isdigit():
        return "gitlab", _address(given.get("GITLAB_BASE_URL", "https://gitlab.com"), project)
    return "", ""


def _address(base: str, name: str) -> str:
    if "://" in name:
        return re.sub(r"(?<=://)[^/@]*@", "", name)
    return f"{base.rstrip('/')}/{name.strip('/').removesuffix('.git')}.git"


def _analyzers(given: Mapping[str, str]) -> Iterator[Part]:
    key = {"api_key": "${env:ANTHROPIC_API_KEY}"}
    is_off = "ANTHROPIC_API_KEY" not in given
    note = "Set ANTHROPIC_API_KEY, then take the comment signs away." if is_off else ""
    mode = given.get("CLAUDE_FIX_MODE", "").lower()
    if any(word in mode for word in _AGENTS) or (not mode and "CLAUDE_COMMAND" in given):
        settings: dict[str, Any] = dict(key)  # Any: YAML values
        if command := given.get("CLAUDE_COMMAND", ""):
            settings["command"] = str(Path(command)) if "/" in command else command
        own, refused = _arguments(given.get("CLAUDE_ARGS", ""))
        settings |= own
        said = f"CLAUDE_ARGS is left out: {refused}" if refused else note
        yield Part("claude_cli", settings, said, off=is_off)
    yield Part("claude", key, note, off=is_off)


def _arguments(text: str) -> tuple[dict[str, Any], str]:  # Any: YAML values
    """Return the settings that say what these arguments say, or why the agent may not have them."""
    try:
        settings = _as_settings(shlex.split(text))
        kind = Catalogue().load("analyzers", "claude_cli", Path.cwd())
        kind.config_type.model_validate({"api_key": "x", **settings})
    except ValidationError as error:
        return {}, error.errors()[0]["msg"].removeprefix("Value error, ")
    except (ValueError, AiopsError) as error:
        return {}, str(error)
    return settings, ""


def _as_settings(arguments: list[str]) -> dict[str, Any]:  # Any: YAML values
    """Return arguments as settings: those that have one of their own by its name."""
    settings: dict[str, Any] = {}
    rest: list[str] = []
    words = iter(arguments)
    for word in words:
        name, _, value = word.partition("=")
        if name in _OWN_SETTING:
            settings[_OWN_SETTING[name]] = value or next(words, "")
        else:
            rest.append(word)
    return settings | ({"arguments": rest} if rest else {})


def _notifiers(given: Mapping[str, str]) -> Iterator[Part]:
    if "SMTP_SERVER" in given and "RECEIVER_EMAIL" in given:
        yield Part("email", _mail(given))
    if "SLACK_WEBHOOK_URL" in given:
        is_installed = "slack" in Catalogue().names("notifiers")
        note = "" if is_installed else "For this one: pip install aiops-plugin-slack."
        yield Part("slack", {"url": "${env:SLACK_WEBHOOK_URL}"}, note, off=not is_installed)


def _mail(given: Mapping[str, str]) -> dict[str, Any]:  # Any: YAML values
    settings: dict[str, Any] = {"host": given["SMTP_SERVER"], "to": _LISTED.split(given["RECEIVER_EMAIL"])}
    port = given.get("SMTP_PORT", "")
    if port.isdigit():
        settings["port"] = int(port)
        settings |= {"security": _SECURITY[port]} if port in _SECURITY else {}
    if "SMTP_PASSWORD" in given:
        settings |= {"username": given["SMTP_USER"]} if "SMTP_USER" in given else {}
        settings["password"] = "${env:SMTP_PASSWORD}"  # noqa: S105 - a reference
    elif "@" in given.get("SMTP_USER", ""):
        settings["sender"] = given["SMTP_USER"]
    return settings
