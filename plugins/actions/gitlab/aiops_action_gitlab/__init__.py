"""Open a merge request on GitLab for a verified fix."""

from aiops_action_gitlab.action import GitlabMergeRequest, GitlabMergeRequestConfig

__all__ = ["GitlabMergeRequest", "GitlabMergeRequestConfig"]
