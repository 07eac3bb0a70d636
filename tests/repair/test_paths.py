import pytest

from aiops_core.errors import Refused
from aiops_core.repair.paths import resolve

FILES = (
    "src/a.py",
    "src/utils.py",
    "src/foo_utils.py",
    "src/pkg/__init__.py",
    "src/pkg/deep.py",
    "lib/deep.py",
    "setup.py",
    ".github/workflows/x.yml",
    "tests/test_a.py",
    "docs/Guide.md",
)
ROOTS = {"/app/": "src/", "/srv/shop": ""}
CLONE = "/var/lib/aiops/run-7/work"


@pytest.mark.parametrize(
    "path",
    [
        "src/a.py",
        "./src/a.py",
        "src//a.py",
        "src/./a.py",
        "a/src/a.py",
        "b/src/a.py",
        "repo/src/a.py",
        "shop/src/a.py",
        "workspaces/7/repo/src/a.py",
        "workspaces/7/repo/workspaces/7/repo/src/a.py",
        "/var/lib/x/workspaces/7f3a/repo/src/a.py",
        "/home/ann/repo/src/a.py",
        "/app/a.py",
        "/srv/shop/src/a.py",
        "/aiops/work/src/a.py",
        "/work/src/a.py",
        f"{CLONE}/src/a.py",
        f"{CLONE}{CLONE}/src/a.py",
        "C:\\build\\repo\\src\\a.py",
        "src\\a.py",
        "a.py",
        "src/src/a.py",
        "shop/shop/src/a.py",
        "./a/src/a.py",
        "b/shop/src/a.py",
        "/src/a.py",
        "/app/src/a.py",
        "/usr/src/app/src/a.py",
        "/proc/1/root/srv/shop/src/a.py",
        "repo\\src\\a.py",
        "\\\\build01\\drop\\src\\a.py",
        "\\\\?\\C:\\repo\\src\\a.py",
        "file:///home/ann/src/a.py",
        "webpack://shop/./src/a.py",
        "https://git.example/acme/shop/src/a.py",
    ],
)
def test_r3_many_spellings_mean_one_file(path, manifest):
    assert (
        resolve(path, kind="replace", files=manifest(*FILES), roots=ROOTS, strip=[CLONE, "shop"])
        == "src/a.py"
    )


def test_r3_a_repository_that_really_has_such_a_directory_keeps_it(manifest):
    files = manifest("workspaces/1/repo/src/a.py", "src/a.py", "app/a.py")

    def resolved(path):
        return resolve(path, kind="replace", files=files, roots={"app": "src"})

    assert resolved("workspaces/1/repo/src/a.py") == "workspaces/1/repo/src/a.py"
    assert resolved("app/a.py") == "app/a.py"
    assert resolved("workspaces/2/repo/src/a.py") == "src/a.py"


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("github/workflows/x.yml", "x.yml"),
        ("src/UTILS.py", "Did you mean src/utils.py?"),
        ("SRC/a.py", "Did you mean src/a.py?"),
        ("tils.py", "utils.py"),
        ("_utils.py", "utils.py"),
        ("deep.py", "Did you mean"),
        ("other/deep.py", "Did you mean"),
        ("src/missing.py", "the repository has no such file"),
        ("nothing/like/it.xyz", "Give the path as git lists it."),
        ("oo_utils.py", "Did you mean src/foo_utils.py"),
        ("Src/Utils.py", "Did you mean src/utils.py"),
        ("a.pyc", "a.py"),
        ("src", "the repository has no such file"),
        ("workspaces/1/repo/deep.py", "Did you mean"),
        ("lib/utils.py/x.py", "the repository has no such file"),
    ],
)
def test_r3_a_path_that_fits_nothing_or_several_is_refused_with_candidates(path, hint, manifest):
    with pytest.raises(Refused) as caught:
        resolve(path, kind="replace", files=manifest(*FILES), roots=ROOTS)

    assert caught.value.rule == "path"
    assert hint in str(caught.value)


def test_r3_a_missing_prefix_and_an_excess_one_together_are_not_guessed(manifest):
    with pytest.raises(Refused):
        resolve("x/deep.py", kind="replace", files=manifest("src/pkg/deep.py"))


def test_r3_a_guess_stands_only_where_the_search_text_matches(manifest):
    files = manifest(*FILES)

    assert (
        resolve("x/src/a.py", kind="replace", files=files, fits=lambda path: path == "src/a.py") == "src/a.py"
    )
    with pytest.raises(Refused):
        resolve("x/src/a.py", kind="replace", files=files, fits=lambda path: False)


def test_r3_of_two_files_with_the_same_end_the_search_text_tells_which_a_foreign_root_is_before(manifest):
    files = manifest("scheduler/times.py", "workspaces/1/repo/scheduler/times.py")
    path = "/home/ann/work/shop/scheduler/times.py"

    assert (
        resolve(path, kind="replace", files=files, fits=lambda path: path[0] == "s") == "scheduler/times.py"
    )
    for fits in (lambda path: True, lambda path: path[0] == "w"):
        with pytest.raises(Refused):
            resolve(path, kind="replace", files=files, fits=fits)


@pytest.mark.parametrize("kind", ["delete", "rename"])
def test_r3_deletes_and_renames_are_never_guessed(kind, manifest):
    files = manifest(*FILES)

    assert resolve("/app/a.py", kind=kind, files=files, roots=ROOTS) == "src/a.py"
    with pytest.raises(Refused):
        resolve("x/src/a.py", kind=kind, files=files, roots=ROOTS)


@pytest.mark.parametrize("kind", ["replace", "create", "delete"])
@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "/",
        "../etc/passwd",
        "src/../../etc/passwd",
        "src\\..\\..\\x.py",
        "~/.ssh/authorized_keys",
        "~root/x",
        ".git/config",
        ".GIT/hooks/pre-commit",
        "src/.git/config",
        "git~1/config",
        ".git./config",
        ".git /config",
        ".git::$INDEX_ALLOCATION/config",
        ".g\u200cit/config",
        "src/a\x00.py",
        "src/a\n.py",
        "src/\x1b[31ma.py",
        "src/\u202ea.py",
        "src/a.py ",
        " src/a.py",
        "src/" + "x" * 256,
        "x/" * 2500 + "a.py",
    ],
)
def test_r3_s33_unsafe_paths_are_refused_whatever_the_edit(path, kind, manifest):
    with pytest.raises(Refused) as caught:
        resolve(path, kind=kind, files=manifest(*FILES, "etc/passwd"))

    assert caught.value.rule == "path-unsafe"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/new.py", "src/new.py"),
        ("./src/new.py", "src/new.py"),
        ("/app/new.py", "src/new.py"),
        ("workspaces/7/repo/tests/test_new.py", "tests/test_new.py"),
        ("tests/unit/test_new.py", "tests/unit/test_new.py"),
        ("src/pkg/sub/__init__.py", "src/pkg/sub/__init__.py"),
        ("README.md", "README.md"),
        ("src\\new.py", "src/new.py"),
        ("shop/src/new.py", "src/new.py"),
        ("a/src/new.py", "src/new.py"),
        ("b/tests/test_new.py", "tests/test_new.py"),
        ("a/shop/src/new.py", "src/new.py"),
        ("C:\\srv\\shop\\src\\new.py", "src/new.py"),
        (".github/new.md", ".github/new.md"),
        ("src/pkg/tests/test_new.py", "src/pkg/tests/test_new.py"),
    ],
)
def test_r3_a_new_file_goes_where_its_directory_is(path, expected, manifest):
    files = manifest(*FILES)

    assert resolve(path, kind="create", files=files, roots=ROOTS, strip=["shop"]) == expected


@pytest.mark.parametrize(
    ("path", "rule", "hint"),
    [
        ("src/a.py", "path", "src/a.py: the file exists already. Use 'replace' to change it."),
        ("/app/a.py", "path", "src/a.py: the file exists already"),
        ("elsewhere/new.py", "path", "its directory does not exist"),
        ("elsewhere/deeper/new.py", "path", "at the root there are: .github, docs, lib, src, tests."),
        ("/etc/cron.d/job", "path", "its directory does not exist"),
        ("/new.py", "path", "its directory does not exist"),
        ("lib/utils.py", "path", "there is already src/utils.py, the only file of that name"),
        ("src/src/new.py", "path", "its directory does not exist"),
        (".github/.github/new.md", "path", "its directory does not exist"),
        ("/app/src/new.py", "path", "its directory does not exist"),
        ("a/new.py", "path", "its directory does not exist"),
        ("repo/src/a.py", "path", "its directory does not exist"),
        ("SRC/new.py", "path", "its directory does not exist"),
        ("docs/guide.md", "path", "differs only in case from docs/Guide.md"),
        ("src/aux.py", "path-unsafe", "does not work on every system"),
        ("src/COM1", "path-unsafe", "does not work on every system"),
        ("src/new.py.", "path-unsafe", "does not work on every system"),
        ("src/new /x.py", "path-unsafe", "does not work on every system"),
        ("src/new ./x.py", "path-unsafe", "does not work on every system"),
        ("src/a:b.py", "path-unsafe", "does not work on every system"),
        ("src/a?.py", "path-unsafe", "does not work on every system"),
    ],
)
def test_r3_s33_a_new_file_is_never_guessed_and_has_a_plain_name(path, rule, hint, manifest):
    with pytest.raises(Refused) as caught:
        resolve(path, kind="create", files=manifest(*FILES), roots=ROOTS)

    assert caught.value.rule == rule
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("path", "files", "hint"),
    [
        (
            "shop/spec/test_new.py",
            ["shop/a.py", "tests/test_a.py"],
            "Put a new test beside the others, in tests.",
        ),
        ("src/tests/test_new.py", ["src/a.js", "src/a.test.js"], "Put a new test beside the others, in src."),
        ("shop/tests/test_new.py", ["shop/a.py"], "put a new one beside the code it tests."),
        ("tests/test_new.py", ["shop/a.py"], "put a new one beside the code it tests."),
        ("test/test_new.py", ["a.py", "test_a.py", "tests/t.py"], "beside the others, in . or tests."),
    ],
)
def test_r3_a_new_test_goes_where_tests_are_and_begins_no_folder_of_its_own(path, files, hint, manifest):
    with pytest.raises(Refused) as caught:
        resolve(path, kind="create", files=manifest(*files))

    assert caught.value.rule == "path"
    assert hint in str(caught.value)


@pytest.mark.parametrize("kind", ["replace", "create"])
def test_s31_s32_a_path_through_a_symlink_or_submodule_is_refused(kind, manifest):
    files = manifest("src/a.py", links=["link"], submodules=["vendor/lib"])

    for path, rule in [("link/x.py", "symlink"), ("vendor/lib/x.py", "submodule"), ("src/a.py/x.py", "path")]:
        with pytest.raises(Refused) as caught:
            resolve(path, kind=kind, files=files)
        assert caught.value.rule == rule


def test_r3_at_most_five_candidates_are_named(manifest):
    files = manifest(*(f"pkg{number}/utils.py" for number in range(9)))

    with pytest.raises(Refused) as caught:
        resolve("utils.py", kind="replace", files=files)

    assert str(caught.value).count("utils.py") == 6


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("src/App/new.py", "path"),
        ("src/app/cafe\u0301.py", "path-unsafe"),
        ("src/app/caf\u00c9.py", "path"),
        ("src/app/gitmod~1", "path-unsafe"),
        ("src/app/n\u0435w.py", "path-unsafe"),
        ("\uff0e\uff47\uff49\uff54/config", "path-unsafe"),
    ],
)
def test_s33_a_new_name_that_some_systems_take_for_another_is_refused(path, rule, manifest):
    files = manifest("src/app/a.py", "src/app/caf\u00e9.py")

    with pytest.raises(Refused) as caught:
        resolve(path, kind="create", files=files)

    assert caught.value.rule == rule
