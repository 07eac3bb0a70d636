"""Open a pull request on GitHub for a verified fix."""

from aiops_action_github.action import GithubPullRequest, GithubPullRequestConfig

__all__ = ["GithubPullRequest", "GithubPullRequestConfig"]
