"""What only a person may allow: it is proposed and tested like any fix, and asked about."""

import pytest

from aiops_core.errors import Refused
from aiops_core.records import Change, ChangedFile, Edit
from aiops_core.repair.asking import asked_about, beyond_limits, check_asked, names_dependencies
from aiops_core.repair.protected import check_path
from aiops_core.settings import Policy

ASKED = {
    "new-dependency": [
        "requirements.txt",
        "requirements-dev.txt",
        "requirements/base.txt",
        "setup.py",
        "setup.cfg",
        "pyproject.toml",
        "package.json",
        "go.mod",
        "Cargo.toml",
        "pom.xml",
        "web/Build.gradle.kts",
        "Gemfile",
    ],
    "build-file": [
        "Makefile",
        "CMakeLists.txt",
        "webpack.config.js",
        "tsconfig.json",
        "BUILD",
        "build.rs",
        "gradlew",
    ],
    "container-file": [
        "k8s/shop.yaml",
        "main.tf",
        "Procfile",
        "ops/shop.service",
        "Dockerfile",
        "deploy/Dockerfile.prod",
        "docker-compose.yml",
        "compose.override.yaml",
    ],
    "migration": ["shop/migrations/0002_price.py", "alembic/versions/1.py", "db/migrate/2.rb"],
}
ALL = [(question, path) for question, paths in ASKED.items() for path in paths]


def change(*files, asks=()):
    return Change("c" * 40, "main", files, "", asks=asks)


@pytest.mark.parametrize(("question", "path"), ALL)
@pytest.mark.parametrize("kind", ["create", "replace"])
def test_s30_s34_a_path_of_the_approval_tier_is_asked_about_by_name(question, path, kind, manifest):
    check_path(path, files=manifest(path))

    ((asked, why),) = asked_about([Edit(kind, path, search="a", replace="b")])

    assert asked == question
    assert f"changes {path}, which " in why


def test_r15_a_fix_of_more_files_or_lines_than_wanted_is_asked_about():
    diff = "diff --git a/a b/a\n@@ -1 +1,9 @@\n-x\n" + "+y\n" * 9

    asked = beyond_limits(diff, 3, Policy(max_files=2, max_lines=9))

    assert asked == (
        ("max-files", "it changes 3 files, more than 2 (policy.max_files)"),
        ("max-lines", "it changes 10 lines, more than 9 (policy.max_lines)"),
    )
    assert beyond_limits(diff, 2, Policy(max_files=2, max_lines=10)) == ()


def test_r17_deleting_and_renaming_need_a_person():
    edits = [Edit("delete", "src/a.py"), Edit("delete", "src/b.py"), Edit("rename", "c.py", to="d.py")]

    assert asked_about(edits) == (
        ("delete", "it deletes src/a.py and deletes src/b.py"),
        ("rename", "it renames c.py to d.py"),
    )


def test_s34_a_file_renamed_to_a_manifest_is_asked_about_as_both():
    questions = [question for question, _ in asked_about([Edit("rename", "deps.txt", to="requirements.txt")])]

    assert questions == ["rename", "new-dependency"]


@pytest.mark.parametrize("path", ["src/app.py", "src/setup_shop.py", "docs/dockerfiles.md", "src/docker.py"])
def test_ordinary_code_is_not_asked_about(path):
    assert asked_about([Edit("replace", path, search="a", replace="b")]) == ()
    assert not names_dependencies(path)


@pytest.mark.parametrize(
    ("file", "question"),
    [
        (ChangedFile("src/app.py", None), "delete"),
        (ChangedFile("requirements.txt", b"evil\n"), "new-dependency"),
        (ChangedFile("Dockerfile", b"FROM evil\n"), "container-file"),
    ],
)
def test_s30_what_nobody_was_asked_about_is_not_published(file, question):
    with pytest.raises(Refused) as caught:
        check_asked(change(file))
    check_asked(change(file, asks=((question, "why"),)))

    assert caught.value.rule == question
    assert "nobody was asked" in str(caught.value)


def test_r17_a_rename_covers_the_old_name_that_goes():
    check_asked(change(ChangedFile("old.py", None), ChangedFile("new.py", b"x"), asks=(("rename", "why"),)))
