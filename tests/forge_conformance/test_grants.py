"""What the token may do is looked at when the program starts, and by aiops doctor (S28)."""

import time

import pytest

from aiops_core.repair import Grants
from aiops_core.testing.pipeline import run_pipeline

PIPELINE = """\
pipelines:
  shop:
    sources: [{{uses: file, with: {{paths: [./shop.log], start: beginning}}}}]
    detectors: [python]
    repository: {{url: "{url}", token: "${{env:FORGE_TOKEN}}"}}
    actions: [{{uses: {action}, with: {{{settings}}}}}]
"""


def grant(bench, *, scopes=None, role="writer"):
    """Let the token have these scopes, and its owner this role."""
    bench.api.scopes = scopes
    if bench.action_type.words.name == "GitHub":
        bench.api.scopes = None if scopes is None else ", ".join(scopes)
        bench.api.repository.permissions = {"admin": role == "owner", "push": role != "reader", "pull": True}
    else:
        bench.api.project.role = {"reader": 20, "writer": 30, "owner": 40}[role]


@pytest.fixture
def own(bench):
    """Return the words of this forge: a scope that is needed and one too many, a role and the highest."""
    if bench.action_type.words.name == "GitHub":
        return "repo", "workflow", "the right to push", "administration of the repository"
    return "api", "sudo", "the role Developer", "the role Maintainer"


def test_s28_a_token_that_may_just_what_is_needed_is_fine(bench, own, caplog):
    grant(bench, scopes=[own[0]])

    assert bench.setup.action().problem() is None
    assert caplog.text == ""


def test_s28_a_forge_that_tells_no_scopes_is_asked_for_the_role_alone(bench, own, caplog):
    grant(bench)

    assert bench.setup.action().problem() is None
    assert caplog.text == ""


def test_s28_what_a_token_lacks_is_named_with_what_to_give(bench, own):
    grant(bench, scopes=["read_user"], role="reader")

    assert bench.setup.action().problem() == (
        f"{bench.path}: the token lacks {own[2]} and the scope '{own[0]}'. "
        f"Give it {bench.action_type.words.access}"
    )


def test_s28_a_token_that_may_too_much_is_warned_of(bench, own, caplog):
    grant(bench, scopes=[own[0], own[1]], role="owner")

    assert bench.setup.action().problem() is None
    assert f"the token may do more than is needed: {own[1]}, {own[3]}. Take one of " in caplog.text


def test_s28_an_installation_of_an_app_has_what_was_asked_for_it(bench):
    if bench.action_type.words.name == "GitHub":
        token = bench.api.token = "ghs_0123456789"
        forge = bench.setup.action(token=token).open_forge(bench.setup.action(token=token).repository)

        assert forge.grants() == Grants()


@pytest.mark.parametrize("wording", ["expired", "outage"])
def test_s28_a_forge_that_says_nothing_about_it_is_a_problem_too(bench, wording):
    bench.api.fail("GET", ".*", *bench.wordings[wording])

    assert bench.action_type.words.name in bench.setup.action().problem()


def test_s28_the_token_is_looked_at_when_the_program_starts(bench, tmp_path):
    grant(bench, scopes=["read_user"], role="reader")
    settings = ", ".join(f'{name}: "{value}"' for name, value in bench.settings().items())
    action = bench.action_type.words.component
    text = PIPELINE.format(url=bench.setup.repository["url"], action=action, settings=settings)

    result = run_pipeline(
        text, {"shop.log": "fine\n"}, tmp_path / "run", environment={"FORGE_TOKEN": bench.token}
    )

    deadline = time.monotonic() + 60
    while not bench.api.requests and time.monotonic() < deadline:
        time.sleep(0.02)
    assert result.error == ""
    assert bench.api.requests
