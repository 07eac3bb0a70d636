"""How GitLab is spoken of."""

from __future__ import annotations

from aiops_core.repair import ForgeWords

WORDS = ForgeWords(
    name="GitLab",
    request="merge request",
    sign="!",
    access="a project, group or personal access token with the scopes 'api' and 'write_repository', "
    "of somebody who is at least Developer in the project",
    address="url",
    component="gitlab_merge_request",
    example="https://gitlab.com/GROUP/PROJECT.git",
    variable="GITLAB_TOKEN",
)
