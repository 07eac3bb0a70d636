"""What every forge tells of a conversation: who said what where, and what they are in the repository."""

import pytest

from aiops_core.testing.forge_scene import BRANCH


@pytest.fixture
def number(bench):
    return bench.add(BRANCH)


@pytest.fixture
def forge(bench):
    action = bench.setup.action()
    forge = action.open_forge(action.repository)
    yield forge
    forge.close()


def test_comments_below_and_in_the_changes_come_in_their_order(bench, number, forge):
    below = bench.talk.add(number, "ann", "Please use sum().")
    inside = bench.talk.add(number, "bob", "Why + 1?", path="shop/cart.py", line=2)
    answer = bench.talk.add(number, "ann", "No idea.", thread=inside.id)

    found = forge.comments(number)

    assert [one.id for one in found] == [bench.comment_id(said) for said in (below, inside, answer)]
    assert [(one.author, one.text) for one in found] == [
        ("ann", "Please use sum()."),
        ("bob", "Why + 1?"),
        ("ann", "No idea."),
    ]
    assert [(one.path, one.line) for one in found] == [("", 0), ("shop/cart.py", 2), ("shop/cart.py", 2)]
    assert found[1].thread == found[2].thread != found[0].thread
    assert all(one.url.startswith("http") for one in found)
    assert not any(one.is_edited or one.is_bot or one.is_settled for one in found)


def test_nothing_is_said_on_a_new_request(number, forge):
    assert list(forge.comments(number)) == []


def test_s6_an_edited_comment_is_known_as_one(bench, number, forge):
    bench.talk.add(number, "ann", "now this").is_edited = True
    bench.talk.add(number, "ann", "and that", path="shop/cart.py", line=1).is_edited = True

    assert [one.is_edited for one in forge.comments(number)] == [True, True]


def test_a_comment_people_settled_is_known_as_one(bench, number, forge):
    bench.talk.add(number, "ann", "never mind").is_settled = True

    assert [one.is_settled for one in forge.comments(number)] == [True]


def test_comments_of_many_pages_all_come(bench, number, forge):
    for count in range(205):
        bench.talk.add(number, "ann", f"{count}")

    assert [one.text for one in forge.comments(number)] == [f"{count}" for count in range(205)]


@pytest.mark.parametrize(
    ("author", "standing"), [("ann", "writer"), ("eve", "reader"), ("mallory", "reader"), ("robot", "bot")]
)
def test_r20_what_an_author_is_comes_from_the_forge(bench, number, forge, author, standing):
    bench.talk.add(number, author, "hello")

    (comment,) = forge.comments(number)

    assert forge.standing(comment) == standing


def test_r20_what_an_author_is_is_asked_anew_each_time(bench, number, forge):
    bench.talk.add(number, "ann", "hello")
    (comment,) = forge.comments(number)
    assert forge.standing(comment) == "writer"

    bench.talk.roles["ann"] = "read"

    assert forge.standing(comment) == "reader"


def test_a_reply_stands_in_the_thread_it_answers(bench, number, forge):
    bench.talk.add(number, "ann", "Why + 1?", path="shop/cart.py", line=2)
    (asked,) = forge.comments(number)

    id_ = forge.reply(number, asked.thread, "It was wrong.")

    answer = forge.comments(number)[-1]
    assert (answer.id, answer.thread, answer.text) == (id_, asked.thread, "It was wrong.")
    assert answer.author == bench.talk.owner


def test_a_reply_to_nothing_stands_below_the_request(bench, number, forge):
    id_ = forge.reply(number, "", "Hello.")

    (comment,) = forge.comments(number)
    assert (comment.id, comment.text, comment.path) == (id_, "Hello.", "")


def test_a_request_tells_who_opened_it(bench, number, forge):
    assert forge.look(number).author == bench.talk.owner
