"""What only this action does; what every forge does is shown by tests/forge_conformance."""

import pytest
from aiops_action_github import GithubPullRequest, GithubPullRequestConfig

from aiops_core import Context, Repository, UserError


def started(config=None, **repository):
    context = Context(repository=Repository(**repository) if repository else None)
    action = GithubPullRequest(config or GithubPullRequestConfig(), context)
    action.start()
    return action


@pytest.mark.parametrize(
    ("repository", "message"),
    [
        (
            {},
            "repository: github_pull_request needs one. Write repository: "
            "{url: https://github.com/OWNER/NAME.git, token: ...} into the pipeline.",
        ),
        (
            {"url": "https://github.com/acme/shop.git"},
            "repository.token: github_pull_request needs one. "
            "Write token: ${env:GITHUB_TOKEN} and set that variable.",
        ),
        (
            {"url": "https://github.com/acme/shop.git", "token": ""},
            "repository.token: github_pull_request needs one. "
            "Write token: ${env:GITHUB_TOKEN} and set that variable.",
        ),
        (
            {"url": "/srv/git/shop.git", "token": "t"},
            "repository.url: '/srv/git/shop.git' names no GitHub repository. "
            "Write it as https://github.com/OWNER/NAME.git or git@github.com:OWNER/NAME.git.",
        ),
    ],
)
def test_a_pipeline_that_cannot_work_is_refused_at_the_start(repository, message):
    with pytest.raises(UserError) as caught:
        started(**repository)

    assert str(caught.value) == message


def test_a_token_of_its_own_is_enough():
    started(GithubPullRequestConfig(token="t"), url="git@github.com:acme/shop.git")
