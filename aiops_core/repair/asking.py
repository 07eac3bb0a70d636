"""What a program may propose and only a person may allow: what goes or moves, and what reaches beyond the code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from aiops_core.errors import Refused
from aiops_core.records import Change, ChangedFile, Edit, Question
from aiops_core.repair.denied import anywhere
from aiops_core.repair.diff import count_lines
from aiops_core.repair.protected import pins_dependencies
from aiops_core.settings import Policy

_PATHS: Mapping[Question, tuple[re.Pattern[str], str]] = {
    "new-dependency": (
        anywhere(
            *(
                r"[^/]*(?:requirements|constraints)[^/]*\.(?:txt|in)",
                r"requirements/[^/]+",
                r"setup\.(?:py|cfg)",
            ),
            *(r"pyproject\.toml", r"pipfile", r"environment\.ya?ml", r"package\.json", r"go\.mod"),
            *(r"cargo\.toml", r"pom\.xml", r"gemfile", r"[^/]+\.gradle(?:\.kts)?", r"composer\.json"),
            *(r"[^/]+\.(?:gemspec|podspec|versions\.toml)", r"[^/]+\.(?:cs|fs|vb)proj", r"packages\.config"),
            *(r"pnpm-workspace\.ya?ml", r"(?:bower|vcpkg)\.json", r"deno\.jsonc?", r"import_?map\.json"),
            *(r"build\.sbt", r"project/[^/]+\.(?:sbt|scala)", r"project\.clj", r"deps\.edn", r"mix\.exs"),
            *(
                r"rebar\.config",
                r"pubspec\.ya?ml",
                r"package\.swift",
                r"podfile",
                r"conanfile\.[^/]+",
            ),
        ),
        "which names dependencies",
    ),
    "build-file": (
        anywhere(
            *(r"(?:gnu)?makefile(?:\.[^/]+)?", r"[^/]+\.(?:mk|cmake|bzl)", r"cmakelists\.txt", r"meson[^/]*"),
            *(
                r"(?:build|workspace|module)\.bazel",
                r"(?-i:BUILD|WORKSPACE)",
                r"build\.xml",
                r"build\.rs",
                r"manifest\.in",
            ),
            *(r"gradle\.properties", r"gradle/wrapper/.*", r"gradlew(?:\.bat)?", r"mvnw(?:\.cmd)?"),
            *(r"(?:rake|just|earth|tilt|gulp|grunt)file(?:\.[^/]+)?", r"taskfile\.ya?ml", r"hatch_build\.py"),
            *(
                r"(?:webpack|rollup|esbuild|rspack|next|nuxt|svelte|astro|metro|postcss|tsup|eslint)\.config\.[cm]?[jt]s",
                r"[tj]sconfig[^/]*\.json",
                r"(?:turbo|nx|lerna|rush)\.json",
            ),
            *(r"(?:flake|shell|default)\.nix", r"rust-toolchain(?:\.toml)?", r"configure(?:\.ac)?"),
        ),
        "which decides how the program is built",
    ),
    "container-file": (
        anywhere(
            *(r"(?:dockerfile|containerfile)(?:[.-][^/]*)?", r"[^/]+\.dockerfile"),
            *(
                r"(?:docker-)?compose[^/]*\.ya?ml",
                r"(?:k8s|kubernetes|helm|kustomize|charts|deploy)/.*\.ya?ml",
            ),
            *(
                r"(?:chart|kustomization|skaffold|heroku|render|playbook)\.ya?ml",
                r"[^/]+\.tf(?:vars)?(?:\.json)?",
            ),
            *(
                r"serverless[^/]*\.(?:ya?ml|[jt]s)",
                r"(?:fly|netlify|wrangler)\.toml",
                r"(?:vercel|now|cdk)\.json",
            ),
            *(
                r"procfile",
                r"vagrantfile",
                r"crontab",
                r"cron\.(?:d|daily|hourly)/.*",
                r"[^/]+\.(?:service|timer)",
            ),
        ),
        "which decides what runs in production",
    ),
    "migration": (
        anywhere(r"migrations?/.*", r"alembic/versions/.*", r"db/migrate/.*"),
        "which changes a database",
    ),
}


def names_dependencies(path: str) -> bool:
    """Return whether a file says what the program depends on."""
    return pins_dependencies(path) or _PATHS["new-dependency"][0].fullmatch(path) is not None


def asked_about(edits: Sequence[Edit]) -> tuple[tuple[Question, str], ...]:
    """Return what a person must allow in edits, and why, each question once."""
    found: dict[Question, list[str]] = {}
    for edit in edits:
        for question, why in _of_edit(edit):
            found.setdefault(question, []).append(why)
    return tuple((question, f"it {' and '.join(dict.fromkeys(whys))}") for question, whys in found.items())


def beyond_limits(diff: str, files: int, policy: Policy) -> tuple[tuple[Question, str], ...]:
    """Return what a person must allow of a change because of its size (R15)."""
    lines = sum(count_lines(diff))
    asks: list[tuple[Question, str]] = []
    if files > policy.max_files:
        asks.append(
            ("max-files", f"it changes {files} files, more than {policy.max_files} (policy.max_files)")
        )
    if lines > policy.max_lines:
        asks.append(
            ("max-lines", f"it changes {lines} lines, more than {policy.max_lines} (policy.max_lines)")
        )
    return tuple(asks)


def check_asked(change: Change) -> None:
    """Refuse a change whose files raise a question that it does not ask."""
    asked = {question for question, _ in change.asks}
    for file in change.files:
        for question in _of_file(file):
            if question not in asked and not (question == "delete" and "rename" in asked):
                raise Refused(
                    f"{file.path}: a person must approve this ({question}), and nobody was asked. "
                    "Retry the incident for a new fix.",
                    rule=question,
                )


def _of_edit(edit: Edit) -> Iterator[tuple[Question, str]]:
    if edit.kind == "delete":
        yield "delete", f"deletes {edit.path}"
    elif edit.kind == "rename":
        yield "rename", f"renames {edit.path} to {edit.to}"
    for path in filter(None, (edit.path, edit.to)):
        yield from ((question, f"changes {path}, {_PATHS[question][1]}") for question in _of_path(path))


def _of_file(file: ChangedFile) -> Iterator[Question]:
    if file.content is None:
        yield "delete"
    yield from _of_path(file.path)


def _of_path(path: str) -> list[Question]:
    return [question for question, (pattern, _) in _PATHS.items() if pattern.fullmatch(path)]
