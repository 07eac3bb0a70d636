"""The paths no automatic fix may touch, by the rule that refuses them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from aiops_core.text.lazy import lazy_pattern


class Rule(NamedTuple):
    """A name, what it matches, and why."""

    name: str
    pattern: re.Pattern[str]
    why: str


def anywhere(*patterns: str) -> re.Pattern[str]:
    """Return what matches whole paths by their end, in any case."""
    return lazy_pattern(rf"(?:.*/)?(?:{'|'.join(patterns)})", re.IGNORECASE)


def _rule(name: str, why: str, *patterns: str) -> Rule:
    return Rule(name, anywhere(*patterns), why)


_CONFIGURES = "it configures git, continuous integration or a code-running tool"
_GIT_HOOKS = (
    r"(?:pre-commit|prepare-commit-msg|commit-msg|post-commit|pre-push|pre-rebase|pre-receive|post-receive"
    r"|post-checkout|post-merge|post-rewrite|pre-merge-commit|fsmonitor-watchman)"
)

AGENT_FILES: Sequence[str] = (
    *(r"\.claude(?:-plugin)?/.*", r"\.claude\.json", r"claude(?:\.local)?\.md", r"\.mcp\.json", r"mcp\.json"),
    *(r"agents(?:\.override)?\.md", r"gemini\.md", r"\.cursor/.*", r"\.cursorrules", r"\.ripgreprc"),
    *(r"(?:qwen|crush|warp|skill)\.md", r"copilot-instructions\.md", r"opencode\.jsonc?"),
    r"\.(?:agents|codex|gemini|windsurf|clinerules|roo|continue|opencode|openhands|junie|kiro|amazonq)(?:/.*)?",
)
"""Where coding agents and their tools take instructions or settings from."""

RULES: Sequence[Rule] = (
    _rule(
        "protected-path",
        _CONFIGURES,
        *(r"\.git(?:/.*)?", r"codeowners", r"[^/]*jenkinsfile[^/]*", r"azure-pipelines[^/]*"),
        *(
            r"(?:bitbucket-pipelines|appveyor|wercker|buildkite|screwdriver|codemagic)\.ya?ml",
            r"ci/[^/]+\.ya?ml",
        ),
        *(r"cloudbuild[^/]*\.(?:ya?ml|json)", r"buildspec[^/]*\.ya?ml", r"appspec\.(?:ya?ml|json)"),
        *(r"codeship-[^/]+", r"(?:tekton|bamboo-specs|buildkite)/.*", r"dangerfile(?:\.[^/]+)?"),
        *(r"renovate\.json5?", r"codecov\.ya?ml", r"sonar-project\.properties"),
        *(r"lefthook[^/]*", r"simple-git-hooks\.[^/]+", rf"{_GIT_HOOKS}(?:\.[^/]+)?", r"githooks/.*"),
        *AGENT_FILES,
        *(r"[^/]+\.(?:code-workspace|sublime-project|iml|ipr)",),
        *(r"pip\.(?:conf|ini)", r"pydistutils\.cfg", r"(?:uv|poetry|pdm|bunfig)\.toml"),
        *(r"[^/]+\.pth", r"(?:site|user)customize\.py"),
        *(r"authorized_keys", r"known_hosts", r"id_(?:rsa|dsa|ecdsa|ed25519)[^/]*"),
        *(r"[^/]+\.(?:p12|pfx|jks|keystore)",),
    ),
    _rule(
        "lock-file",
        "it pins dependencies and a tool writes it",
        *(r"[^/]+\.lockb?", r"[^/]+[.-]lock\.(?:json|ya?ml|hcl)", r"npm-shrinkwrap\.json"),
        *(r"go\.sum", r"[^/]*gradle\.lockfile", r"package\.resolved", r"vendor/modules\.txt"),
    ),
    _rule(
        "tests-weakened",
        "it configures how the tests run",
        *(r"conftest\.py", r"pytest\.ini", r"\.pytest\.ini", r"tox\.ini", r"noxfile\.py", r"\.coveragerc"),
        *(
            r"(?:jest|vitest|karma|playwright|cypress)\.(?:config|conf)\.[^/]+",
            r"\.mocharc[^/]*",
            r"phpunit\.xml[^/]*",
        ),
        *(r"(?:unittest|_?pytest|nose2?|doctest)(?:\.py|/.*)",),
        *(r"\.?pytest\.toml", r"tox\.toml", r"(?:nose2?|unittest)\.cfg", r"\.testr\.conf"),
        *(
            r"(?:vite|ava|babel|wdio|stryker)\.(?:config|conf)\.[^/]+",
            r"vitest\.(?:workspace|setup|shims)\.[^/]+",
            r"jest\.(?:setup|preset|resolver)[^/]*",
            r"(?:src/)?setuptests\.[cm]?[jt]sx?",
        ),
        *(r"\.babelrc[^/]*", r"\.(?:nycrc|c8rc|taprc|swcrc)[^/]*", r"jasmine[^/]*\.json", r"__mocks__/.*"),
        *(r"\.rspec", r"testng[^/]*\.xml", r"junit-platform\.properties", r"[^/]+\.runsettings"),
        *(r"\.mvn/.*", r"\.cargo/.*", r"\.bazelrc", r"go\.work"),
        *(r"[^/]+\.(?:egg|dist)-info(?:/.*)?", r"[^/]+\.egg-link"),
        r"(?:org/(?:junit|testng|hamcrest|assertj|mockito|opentest4j)|junit/framework)/.*",
        r"META-INF/services/(?:org\.(?:junit|testng)|javax\.annotation\.processing)[^/]*",
        r"cypress/support/.*",
    ),
    _rule(
        "generated",
        "a tool puts it there",
        *(r"(?:node_modules|bower_components|site-packages|__pycache__)/.*", r"[^/]+\.py[co]"),
    ),
    _rule(
        "not-text",
        "its name says that it is no text",
        r"[^/]+\.(?:so(?:\.\d+)*|dll|dylib|pyd|exe|class|jar|war|ear|whl|wasm|node|o|a|lib)",
    ),
    _rule("protected-path", _CONFIGURES, r"\.(?!\.?/|\.?$)[^/]+(?:/.*)?"),
)
"""The first that matches counts; the last one is what is hidden: settings of tools, known or not."""
