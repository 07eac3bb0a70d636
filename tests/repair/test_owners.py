"""CODEOWNERS, in the dialect of either forge."""

import pytest

from aiops_core.repair import owners_of

GITHUB = """\
# the last match wins
*                 @acme/everyone
*.js              @jane   # scripts
/build/logs/      @ops
docs/*            docs@acme.example @writer
apps/             @apps
/scripts/         @ann @bob
**/logs           @logs
/apps/github
/sub/deep/file.py @deep
!/secret          @nobody
src/[ab].py       @nobody
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("README.md", ["acme/everyone"]),
        ("src/x/app.js", ["jane"]),
        ("build/logs/x.txt", ["logs"]),
        ("docs/guide.md", ["writer"]),
        ("docs/deep/guide.md", ["acme/everyone"]),
        ("apps/a/b.py", ["apps"]),
        ("src/apps/b.py", ["apps"]),
        ("scripts/run.sh", ["ann", "bob"]),
        ("deep/scripts/run.sh", ["acme/everyone"]),
        ("a/b/logs/x/y.txt", ["logs"]),
        ("apps/github/x.py", []),
        ("apps/github2/x.py", ["apps"]),
        ("sub/deep/file.py", ["deep"]),
        ("secret", ["acme/everyone"]),
        ("src/a.py", ["acme/everyone"]),
    ],
)
def test_github_reads_it_like_a_list_of_ignored_files(path, owners):
    assert owners_of([path], GITHUB, "github") == owners


GITLAB = r"""
* @everyone
README.md @readme
/docs/ @docs
/docs/*.txt @texts
internal/notes.md @notes
/path\ with\ spaces/ @spaces
\#file @hash
config @@maintainers mail@acme.example @group/sub/team

[Backend][2] @backend @lead
/src/
/src/api.py @api
!/src/generated.py

^[Docs]
*.md @writers

[BACKEND]
/src/db.py @db
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("x.py", ["everyone"]),
        ("README.md", ["readme", "writers"]),
        ("deep/README.md", ["readme", "writers"]),
        ("docs/a/b.rst", ["docs"]),
        ("docs/a.txt", ["texts"]),
        ("docs/a/b.txt", ["docs"]),
        ("any/where/internal/notes.md", ["notes", "writers"]),
        ("path with spaces/x", ["spaces"]),
        ("#file", ["hash"]),
        ("config", ["group/sub/team"]),
        ("config/x", ["everyone"]),
        ("src/main.py", ["everyone", "backend", "lead"]),
        ("src/api.py", ["everyone", "api"]),
        ("src/generated.py", ["everyone"]),
        ("src/db.py", ["everyone", "db"]),
    ],
)
def test_gitlab_reads_it_section_by_section(path, owners):
    assert owners_of([path], GITLAB, "gitlab") == owners


def test_who_owns_most_of_the_files_comes_first():
    text = "*.py @ann\n*.js @bob\n"

    assert owners_of(["a.js", "b.py", "c.py"], text, "github") == ["ann", "bob"]


@pytest.mark.parametrize("dialect", ["github", "gitlab"])
@pytest.mark.parametrize("text", ["", "\n#only\n", "[", "[]", "\\", "* @", "***", "/ @x", "\x00 @y", "!"])
def test_a_broken_file_names_nobody_and_breaks_nothing(dialect, text):
    assert owners_of(["src/a.py"], text, dialect) in ([], ["x"])


@pytest.mark.parametrize("dialect", ["github", "gitlab"])
def test_a_hostile_pattern_costs_no_time(dialect):
    text = f"{'**/a' * 60}b @x\n{'*a' * 60}b @y\n"

    assert owners_of(["a/" * 120 + "a" * 120], text, dialect) == []
