"""How GitHub is spoken of."""

from __future__ import annotations

from aiops_core.repair import ForgeWords

WORDS = ForgeWords(
    name="GitHub",
    request="pull request",
    sign="#",
    access="'Contents' and 'Pull requests' read and write, or a classic token with the scope 'repo'",
    address="api_url",
    component="github_pull_request",
    example="https://github.com/OWNER/NAME.git",
    variable="GITHUB_TOKEN",
)
