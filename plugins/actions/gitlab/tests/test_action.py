"""What only this action does; what every forge does is shown by tests/forge_conformance."""

import pytest
from aiops_action_gitlab import GitlabMergeRequest, GitlabMergeRequestConfig

from aiops_core import Context, Repository, UserError


def started(config=None, **repository):
    context = Context(repository=Repository(**repository) if repository else None)
    action = GitlabMergeRequest(config or GitlabMergeRequestConfig(), context)
    action.start()
    return action


@pytest.mark.parametrize(
    ("repository", "message"),
    [
        (
            {},
            "repository: gitlab_merge_request needs one. Write repository: "
            "{url: https://gitlab.com/GROUP/PROJECT.git, token: ...} into the pipeline.",
        ),
        (
            {"url": "https://gitlab.com/acme/shop.git"},
            "repository.token: gitlab_merge_request needs one. "
            "Write token: ${env:GITLAB_TOKEN} and set that variable.",
        ),
        (
            {"url": "https://gitlab.com/acme/shop.git", "token": ""},
            "repository.token: gitlab_merge_request needs one. "
            "Write token: ${env:GITLAB_TOKEN} and set that variable.",
        ),
        (
            {"url": "/srv/git/shop.git", "token": "t"},
            "repository.url: '/srv/git/shop.git' names no GitLab project. "
            "Write it as https://gitlab.com/GROUP/PROJECT.git or git@gitlab.com:GROUP/SUBGROUP/PROJECT.git.",
        ),
    ],
)
def test_a_pipeline_that_cannot_work_is_refused_at_the_start(repository, message):
    with pytest.raises(UserError) as caught:
        started(**repository)

    assert str(caught.value) == message


def test_a_token_of_its_own_is_enough():
    started(GitlabMergeRequestConfig(token="t"), url="git@gitlab.com:acme/shop.git")
