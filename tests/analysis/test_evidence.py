import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from aiops_core import replace
from aiops_core.analysis import Precedent, gather
from aiops_core.records import Analysis, Change, Event, Frame, Incident, Outcome, RaisedException
from aiops_core.repository import open_mirror
from aiops_core.settings import Repository

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CART = "def total(items):\n    return sum(item['price'] for item in items)\n"
APP = "from shop.cart import total\n\n\ndef checkout(order):\n    return total(order['items'])\n"


def git(folder, *args):
    return subprocess.run(
        ["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org", *args],
        cwd=folder, check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    (folder / "src/shop").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "src/shop/cart.py").write_text(CART)
    (folder / "src/shop/app.py").write_text(APP)
    (folder / "tests/test_cart.py").write_text("def test_total():\n    assert True\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "add the cart")
    git(folder, "tag", "v1.0")
    return folder


@pytest.fixture
def work(template, tmp_path):
    return shutil.copytree(template, tmp_path / "work")


@pytest.fixture
def reader(work, tmp_path):
    def read(incident, **options):
        repository = Repository(url=str(work), paths={"/app/": "src/"})
        mirror = open_mirror(repository, tmp_path / "mirrors")
        return gather(incident, mirror=mirror, repository=repository, **options)

    return read


def incident(*events):
    event = events[0]
    return Incident(
        7, "p", "f", "t", event.type, event.message, "python", "error", "new", 3, NOW, NOW, events
    )


def crash(**changes):
    frames = (
        Frame("/usr/lib/python3.11/site-packages/web.py", 10, "run", in_app=False),
        Frame("/app/shop/app.py", 5, "checkout"),
        Frame("/app/shop/cart.py", 2, "<genexpr>"),
    )
    event = Event(
        "KeyError",
        "'price'",
        exceptions=(RaisedException("KeyError", "'price'", frames),),
        path="/var/log/shop.log",
        headline="ERROR checkout failed",
        block="Traceback (most recent call last):\n  …\nKeyError: 'price'",
        context_before=("INFO order 1",),
        context_after=("INFO order 2",),
        occurred_at=NOW,
    )
    return replace(event, **changes)


def kinds(evidence):
    return [item.kind for item in evidence]


def test_everything_known_is_gathered_under_ids(reader):
    evidence = reader(incident(crash()))

    assert [item.id for item in evidence] == [f"E{number}" for number in range(1, len(evidence) + 1)]
    assert kinds(evidence) == ["log", "log", "source", "source", "blame", "blame", "commit", "source"]
    assert evidence[0].text == "ERROR checkout failed\n" + crash().block
    assert evidence[1].text == "INFO order 1\n… the error above …\nINFO order 2"


def test_the_source_of_the_raise_comes_first_with_its_line_marked(reader):
    sources = [item for item in reader(incident(crash())) if item.kind == "source"]

    assert [(item.path, item.line) for item in sources[:2]] == [
        ("src/shop/cart.py", 2),
        ("src/shop/app.py", 5),
    ]
    assert "> 2 |     return sum(item['price'] for item in items)" in sources[0].text
    assert sources[2].title == "tests: tests/test_cart.py"


def test_blame_and_history_name_the_commit(reader, work):
    evidence = reader(incident(crash()))
    head = git(work, "rev-parse", "HEAD")

    blame = next(item for item in evidence if item.kind == "blame")
    commits = next(item for item in evidence if item.kind == "commit")

    assert f"2: {head[:10]} " in blame.text and "Ann: add the cart" in blame.text
    assert head[:10] in commits.text and "add the cart" in commits.text


def test_blame_says_how_long_before_the_error_a_line_changed(reader, work):
    later = datetime.now(UTC) + timedelta(days=40)

    def ages(moment):
        evidence = reader(incident(crash(occurred_at=moment)))
        return re.findall(
            r" \((.*) before the error\) Ann", next(i.text for i in evidence if i.kind == "blame")
        )

    assert set(ages(later)) <= {"39 days", "40 days"} and ages(later)
    assert set(ages(datetime.now(UTC) + timedelta(minutes=1))) == {"within a day"}
    assert ages(NOW) == []


def test_r27_commits_between_the_last_good_and_the_first_bad_release_are_shown(reader, work):
    for number, name in enumerate(("src/shop/other.py", "src/shop/cart.py", "README.md")):
        (work / name).write_text(CART + f"# {number}\n")
        git(work, "add", ".")
        git(work, "commit", "-q", "-m", f"step {number}")
    git(work, "tag", "v1.1")
    bad = incident(crash(attributes={"release": "shop@1.1"}))

    def shown(**options):
        found = [item for item in reader(bad, **options) if item.title.startswith("commits after")]
        return found and (
            found[0].title,
            [re.sub(r" [0-9a-f]{10} .*Ann:", "", row) for row in found[0].text.split("\n")],
        )

    first = git(work, "rev-parse", "v1.0")[:12]
    by_tag, by_event = (
        shown(),
        shown(earlier=[{"release": "1.1"}, {"release": "nothing"}, {"version": "1.0"}]),
    )
    assert by_tag[0] == (
        f"commits after tag v1.0 ({first}), the last release without the error, up to the one with it; "
        "* touches a file of the trace"
    )
    assert by_event[0].startswith(f"commits after version 1.0 ({first})")
    assert by_tag[1] == by_event[1] == ["* step 1", "  step 2", "  step 0"]
    assert shown(earlier=[{"commit": git(work, "rev-parse", "HEAD~1")}])[1] == ["  step 2"]


def test_r27_without_a_known_release_no_commits_are_blamed(reader):
    for attributes in ({}, {"release": "9.9"}, {"release": "1.0"}):
        evidence = reader(incident(crash(attributes=attributes)))
        assert not [item for item in evidence if item.title.startswith("commits after")]


def test_a_latin_1_source_is_read_as_it_is(reader, work):
    (work / "src/shop/cart.py").write_bytes("# caf\xe9\n".encode("latin-1") + CART.encode())
    git(work, "commit", "-q", "-am", "caf\xe9")

    assert any("# caf\xe9" in item.text for item in reader(incident(crash())))


def test_r27_source_is_read_at_the_release_that_ran_and_compared_with_the_branch(reader, work):
    (work / "src/shop/cart.py").write_text(
        "# totals\n" + CART.replace("item['price']", "item.get('price', 0)")
    )
    git(work, "commit", "-q", "-am", "tolerate free items")

    evidence = reader(incident(crash(attributes={"release": "1.0"})))

    note = next(item for item in evidence if item.kind == "note")
    sources = [item for item in evidence if item.kind == "source" and item.path == "src/shop/cart.py"]
    assert note.text.startswith("release 1.0 is commit ")
    assert "item['price']" in sources[0].text
    assert sources[1].title.startswith("src/shop/cart.py on the branch today, where edits apply")
    assert "item.get('price', 0)" in sources[1].text


def test_an_unknown_release_is_said_and_the_branch_is_read(reader):
    evidence = reader(incident(crash(attributes={"release": "9.9"})))

    assert "release 9.9 is not in the repository: the head of the branch is shown" in [
        item.text for item in evidence
    ]
    assert "source" in kinds(evidence)


def test_a_file_that_fits_two_places_is_not_guessed(reader, work):
    (work / "other").mkdir()
    (work / "other/cart.py").write_text("x = 1\n")
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", "another cart")
    frames = (Frame("cart.py", 1, "f"),)

    evidence = reader(incident(crash(exceptions=(RaisedException("KeyError", "", frames),))))

    note = next(item for item in evidence if item.kind == "note")
    assert note.title == "cart.py fits several files"
    assert set(note.text.split("\n")) == {"other/cart.py", "src/shop/cart.py"}
    assert "source" not in kinds(evidence)


def test_r3_the_own_package_is_read_where_it_was_installed(reader, work):
    (work / "pyproject.toml").write_text("")
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", "a project")
    installed = "/venv/lib/python3.12/site-packages"
    frames = (
        Frame("/app/run.py", 1, "main"),
        Frame(f"{installed}/web/serve.py", 7, "serve", in_app=False),
        Frame(f"{installed}/shop/cart.py", 2, "total", in_app=False),
    )

    evidence = reader(incident(crash(exceptions=(RaisedException("KeyError", "'price'", frames),))))

    assert next(item.path for item in evidence if item.kind == "source") == "src/shop/cart.py"
    assert not [item for item in evidence if "web" in item.path]


def test_a_java_frame_is_found_by_its_package(reader, work):
    for package in ("com/acme/shop", "com/acme/api"):
        (work / package).mkdir(parents=True)
        (work / package / "Cart.java").write_text(f"// {package}\n")
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", "java")
    frames = (Frame("Cart.java", 1, "total", "com.acme.api.Cart"),)

    evidence = reader(incident(crash(exceptions=(RaisedException("E", "", frames),))))

    assert [item.path for item in evidence if item.kind == "source"] == ["com/acme/api/Cart.java"]


def test_without_a_repository_there_is_the_log():
    assert kinds(gather(incident(crash()))) == ["log", "log"]


def test_a_repository_that_cannot_be_read_is_a_note(reader, work):
    git(work, "checkout", "-q", "--orphan", "empty")
    git(work, "branch", "-q", "-D", "main")

    evidence = reader(incident(crash()))

    assert kinds(evidence) == ["log", "log", "note"]
    assert evidence[-1].title == "the repository could not be read"


def test_similar_incidents_come_with_what_was_found_and_what_fixed_them():
    other = replace(incident(crash()), id=3, state="resolved", count=12)
    found = Analysis("t", "s", "the price was missing", confidence=0.8)
    change = Change("c", "main", (), "-a\n+b\n")
    merged = Outcome("done", "pull request #4 was merged.", "https://git.example/4")

    fixed = Precedent(other, found, change, [merged, Outcome("failed", "no network")])
    open_yet = replace(fixed, incident=replace(other, id=4, state="ongoing"), analysis=None)
    evidence = gather(incident(crash()), similar=[fixed, open_yet, Precedent(replace(other, id=5))])

    texts = [item.text for item in evidence if item.kind == "incident"]
    assert "state resolved, 12 times" in texts[0]
    assert "found then (80% sure): the price was missing" in texts[0]
    assert texts[0].endswith(
        "done then: pull request #4 was merged. https://git.example/4\nwhat fixed it:\n-a\n+b\n"
    )
    assert "the fix proposed then:\n-a" in texts[1] and "found then" not in texts[1]
    assert "then" not in texts[2]


def test_later_events_are_shown_when_they_say_something_else():
    evidence = gather(incident(crash(), crash(), crash(message="'name'", block="KeyError: 'name'")))

    assert [item.text for item in evidence if "same error" in item.title] == [
        "ERROR checkout failed\nKeyError: 'name'"
    ]


def test_a_long_block_keeps_both_ends():
    block = "first\n" + "x" * 900 + "\n" + "middle\n" * 10_000 + "last"

    (log,) = gather(incident(crash(block=block, context_before=(), context_after=())))

    assert len(log.text) < 17_000
    assert log.text.startswith("ERROR checkout failed\nfirst") and log.text.endswith("last")
    assert "characters left out" in log.text


def test_what_does_not_fit_is_cut_from_the_least_telling_end(reader, work):
    (work / "tests/test_cart.py").write_text("def test_total():\n    assert total([]) == 0\n" * 60)
    git(work, "commit", "-q", "-am", "more tests")
    whole = reader(incident(crash()))
    size = sum(len(item.title) + len(item.text) for item in whole)

    evidence = reader(incident(crash()), max_characters=size - 900)

    assert sum(len(item.title) + len(item.text) for item in evidence) <= size - 900
    assert evidence[:-2] == whole[:-1]
    assert evidence[-2].text.endswith("… cut here …")
    assert (evidence[-1].kind, evidence[-1].title) == ("note", "what did not fit")
    assert evidence[-1].text == "shortened: tests: tests/test_cart.py"


def test_pieces_go_whole_when_little_of_them_would_be_left(reader):
    whole = reader(incident(crash(block="line of the trace\n" * 100)))
    size = sum(len(item.title) + len(item.text) for item in whole)

    evidence = reader(incident(crash(block="line of the trace\n" * 100)), max_characters=size - 1)

    assert evidence[0] == whole[0] and evidence[2] == whole[2]
    assert evidence[-1].text.startswith("left out: tests: tests/test_cart.py\nleft out: latest commits")


def test_the_error_itself_is_shortened_last():
    event = crash(block="line of the trace\n" * 500)

    evidence = gather(incident(event), max_characters=2_000)

    assert evidence[0].text.startswith("ERROR checkout failed\nline of the trace")
    assert evidence[0].text.endswith("… cut here …")
    assert "shortened: error in /var/log/shop.log" in evidence[-1].text


def test_an_incident_without_events_has_no_evidence():
    assert gather(replace(incident(crash()), events=())) == []
