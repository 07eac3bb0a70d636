import pytest

from aiops_core.repository import Release, open_mirror, release_of
from aiops_core.settings import Repository


@pytest.fixture
def tagged(shop, tmp_path):
    """Return the mirror of a repository with tags of many kinds, and its commits."""
    commits = {"first": shop.git("rev-parse", "HEAD")}
    for name, tag in (
        ("plain", "1.2.0"),
        ("v", "v1.4.2"),
        ("package", "cart-2.0"),
        ("release", "release/3.1"),
    ):
        commits[name] = shop.commit({"README.md": name})
        shop.git("tag", tag)
        shop.git("push", "-q", "origin", tag)
    commits["annotated"] = shop.commit({"README.md": "annotated"})
    shop.git("tag", "-a", "-m", "five", "v5.0.0-rc.1")
    shop.git("push", "-q", "origin", "v5.0.0-rc.1")
    return open_mirror(Repository(url=str(shop.remote)), tmp_path / "state"), commits


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("1.2.0", "plain"),
        ("v1.2.0", "plain"),
        ("1.4.2", "v"),
        ("v1.4.2", "v"),
        ("shop@1.4.2", "v"),
        ("shop@1.4.2+build.7", "v"),
        ("1.4.2+0000000", "v"),
        ("cart-2.0", "package"),
        ("cart@2.0", "package"),
        ("3.1", "release"),
        ("5.0.0-rc.1", "annotated"),
        ("registry.example:5000/acme/shop:v1.4.2", "v"),
        ("registry.example:5000/acme/shop:1.4.2@sha256:" + "0" * 64, "v"),
        ("acme/cart:2.0", "package"),
        ("shop-1.4.2", "v"),
        ("1.4", None),
        ("main", None),
        ("latest", None),
        ("-v", None),
        ("1.4.2; rm -rf /", "v"),
    ],
)
def test_r27_the_usual_spellings_of_a_release_are_its_tag(tagged, value, name):
    mirror, commits = tagged

    found = release_of(mirror, {"release": value})

    assert found == Release("release", value, commits.get(name))


@pytest.mark.parametrize(
    "form", ["{}", "{:.7}", "1.4.9-3-g{:.10}", "shop@9.9+{:.8}", "acme/shop:{:.12}", "acme/shop:main-{:.7}"]
)
def test_r27_a_commit_id_is_found_whole_short_and_inside_a_version(tagged, form):
    mirror, commits = tagged

    assert release_of(mirror, {"image": form.format(commits["first"])}).commit == commits["first"]


def test_r27_the_attribute_that_names_a_commit_is_preferred(tagged):
    mirror, commits = tagged

    said = {"version": "1.4.2", "git_sha": commits["first"], "commit": "deadbeefdeadbeef"}

    assert release_of(mirror, said) == Release("git_sha", commits["first"], commits["first"])
    assert release_of(mirror, {"version": "7.7", "image": "x:8"}) == Release("version", "7.7", None)
    assert release_of(mirror, {"host": "a", "release": " "}) is None
    assert release_of(mirror, {"host": "a"}, "1.4.2") == Release("release", "1.4.2", commits["v"])
    assert release_of(mirror, {"version": "1.2.0"}, "1.4.2").commit == commits["plain"]


def test_the_tag_before_a_commit_is_known(tagged):
    mirror, commits = tagged

    assert mirror.tag_before(commits["annotated"]) == ("release/3.1", commits["release"])
    assert mirror.tag_before(commits["first"]) is None
