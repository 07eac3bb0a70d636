"""Where a repository keeps its tests, and what belongs to them."""

from __future__ import annotations

import re
from collections.abc import Collection

from aiops_core.errors import Refused

_TEST = re.compile(
    r"(?:.*/)?(?:(?:tests?|__tests__|specs?|e2e|__snapshots__|__fixtures__|fixtures|golden(?:s|_files)?|testdata|test[-_](?:data|fixtures|helpers?|support|utils?))/.*"
    r"|test_[^/]*\.(?:py|rb|c|cc|cpp)|[^/]*_test\.(?:py|go|cc|cpp|rb|exs|dart|rs)|tests?\.py|[^/]*_spec\.rb"
    r"|tests?\.(?:[cm]?[jt]sx?|rs)|[^/]*\.snap|[^/]*\.(?:test|spec)\.[cm]?[jt]sx?|[^/]*(?:Test|Tests|TestCase|IT|Spec)\.(?:java|kt|scala|groovy|cs|php|swift)|[^/]*\.(?:cy|e2e)\.[cm]?[jt]sx?)"
)
_TEST_FOLDER = re.compile(r"tests?|__tests__|specs?|e2e")
_NAMED = 5


def is_test(path: str) -> bool:
    """Return whether a path is a test, or belongs to tests."""
    return _TEST.fullmatch(path) is not None


def folders_of_tests(files: Collection[str]) -> list[str]:
    """Return the folders that hold tests, those with the most first, ``.`` for the root."""
    counts: dict[str, int] = {}
    for file in filter(is_test, files):
        folder = file.rpartition("/")[0] or "."
        counts[folder] = counts.get(folder, 0) + 1
    return sorted(counts, key=lambda folder: (-counts[folder], folder))


def check_layout(path: str, files: Collection[str], directories: Collection[str]) -> None:
    """Refuse (rule ``path``) a new file that would begin a folder for tests of a kind nobody here has."""
    folder = path.rpartition("/")[0]
    name = folder.rpartition("/")[2]
    if folder in directories or not _TEST_FOLDER.fullmatch(name):
        return
    if any(name == directory.rpartition("/")[2] for directory in directories):
        return
    raise Refused(
        f"{path}: the repository has no folder {name!r} for tests. {where_tests_go(files)}", rule="path"
    )


def where_tests_go(files: Collection[str]) -> str:
    """Return what to tell a model that would put a test where none are."""
    folders = folders_of_tests(files)
    if not folders:
        return "It has no tests yet: put a new one beside the code it tests."
    return f"Put a new test beside the others, in {' or '.join(folders[:_NAMED])}."
