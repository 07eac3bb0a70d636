"""Who is asked for a review where nobody is named: owners of the files, else who wrote the lines."""

import pytest

PLACES = {"GithubBench": ".github/CODEOWNERS", "GitlabBench": ".gitlab/CODEOWNERS"}


@pytest.fixture
def place(bench):
    """Where this forge looks for owners, and the other one does not."""
    return PLACES[type(bench).__name__]


def test_the_owners_of_the_files_are_asked(bench, place):
    bench.bare.add_commit("main", place, "* @nobody\nshop/*.py @ann mail@acme.example @bob\n")

    bench.setup.action().act(bench.plan())

    assert bench.seen()[0].reviewers == ["ann", "bob"]


def test_the_file_of_the_other_forge_counts_for_nothing(bench, place):
    other = next(path for path in PLACES.values() if path != place)
    bench.bare.add_commit("main", other, "* @bob\n")

    bench.setup.action().act(bench.plan())

    assert bench.seen()[0].reviewers == ["ann"]


def test_without_owners_the_author_of_the_lines_is_asked_as_the_forge_knows_them(bench):
    outcome = bench.setup.action().act(bench.plan())

    assert bench.seen()[0].reviewers == ["ann"]
    assert "reviewers not set" not in outcome.summary


def test_an_author_the_forge_does_not_know_is_not_guessed(bench):
    bench.bare.add_commit("main", "shop/cart.py", "def total(prices):\n    return sum(prices) + 1\n\n")
    bench.bare.add_commit("main", "shop/cart.py", "def total(prices):\n    return 1 + sum(prices)\n")

    outcome = bench.setup.action().act(bench.plan())

    assert bench.seen()[0].reviewers == []
    assert "reviewers not set" not in outcome.summary


@pytest.mark.parametrize(
    ("settings", "asked"), [({"reviewers": ["bob"]}, ["bob"]), ({"find_reviewers": False}, [])]
)
def test_who_is_named_comes_before_who_would_be_found(bench, place, settings, asked):
    bench.bare.add_commit("main", place, "* @ann\n")

    bench.setup.action().act(bench.plan(**settings))

    assert bench.seen()[0].reviewers == asked


def test_an_owner_who_cannot_be_asked_is_said_and_the_others_are_asked(bench, place):
    bench.bare.add_commit("main", place, "* @stranger @ann\n")

    outcome = bench.setup.action().act(bench.plan())

    assert outcome.status == "done"
    assert "reviewers not set: " in outcome.summary
    assert bench.seen()[0].reviewers == ["ann"]
