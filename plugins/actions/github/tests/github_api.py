"""GitHub's REST API for one repository, as a real server on loopback.

Every request and every answer is held against GitHub's own schemas; what does not fit is kept in
``violations``. ``GithubApi(..., prefix="/api/v3")`` is an Enterprise server.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlencode

from github_repository import Json, Pull, Rejected, StubApp, StubRepository
from github_talk import KINDS

from aiops_core.testing.api_stub import Answer, ApiStub, Asked

ROUTES = (
    ("GET", r"/repos/[^/]+/[^/]+|/repositories/1296269", "GET /repos/{owner}/{repo}"),
    ("GET", r"/repos/[^/]+/[^/]+/pulls", "GET /repos/{owner}/{repo}/pulls"),
    ("POST", r"/repos/[^/]+/[^/]+/pulls", "POST /repos/{owner}/{repo}/pulls"),
    ("GET", r"/repos/[^/]+/[^/]+/pulls/(\d+)", "GET /repos/{owner}/{repo}/pulls/{pull_number}"),
    (
        "PATCH",
        r"/repos/[^/]+/[^/]+/pulls/(\d+)",
        "PATCH /repos/{owner}/{repo}/pulls/{pull_number}",
    ),
    ("GET", r"/repos/[^/]+/[^/]+/installation", "GET /repos/{owner}/{repo}/installation"),
    (
        "POST",
        r"/app/installations/\d+/access_tokens",
        "POST /app/installations/{installation_id}/access_tokens",
    ),
    ("GET", r"/repos/[^/]+/[^/]+/commits/[0-9a-f]+", "GET /repos/{owner}/{repo}/commits/{ref}"),
    (
        "POST",
        r"/repos/[^/]+/[^/]+/issues/(\d+)/comments",
        "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
    ),
    (
        "GET",
        r"/repos/[^/]+/[^/]+/issues/(\d+)/comments",
        "GET /repos/{owner}/{repo}/issues/{issue_number}/comments",
    ),
    (
        "GET",
        r"/repos/[^/]+/[^/]+/pulls/(\d+)/comments",
        "GET /repos/{owner}/{repo}/pulls/{pull_number}/comments",
    ),
    (
        "GET",
        r"/repos/[^/]+/[^/]+/pulls/(\d+)/reviews",
        "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
    ),
    (
        "POST",
        r"/repos/[^/]+/[^/]+/pulls/(\d+)/comments/\d+/replies",
        "POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies",
    ),
    (
        "GET",
        r"/repos/[^/]+/[^/]+/collaborators/[^/]+/permission",
        "GET /repos/{owner}/{repo}/collaborators/{username}/permission",
    ),
    (
        "POST",
        r"/repos/[^/]+/[^/]+/issues/(\d+)/labels",
        "POST /repos/{owner}/{repo}/issues/{issue_number}/labels",
    ),
    (
        "DELETE",
        r"/repos/[^/]+/[^/]+/issues/(\d+)/labels/[^/]+",
        "DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}",
    ),
    (
        "POST",
        r"/repos/[^/]+/[^/]+/pulls/(\d+)/requested_reviewers",
        "POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers",
    ),
)


class GithubApi(ApiStub):
    """The server; use as a context manager."""

    def __init__(
        self, git: Path, *, slug: str = "acme/shop", token: str = "", prefix: str = "", tls: bool = False
    ) -> None:
        super().__init__(prefix=prefix, tls=tls)
        self.repository = StubRepository(git, self.base_url, self.url, slug)
        self.token = token
        self.former_slug = ""
        self.app: StubApp | None = None
        self.scopes: str | None = None
        """Scopes of a classic token."""

    @property
    def pulls(self) -> list[Pull]:
        """Every pull request, oldest first."""
        return list(self.repository.pulls.values())

    def carried_out(self, asked: Asked) -> Answer:
        """Do what is asked, for who has the token."""
        if not self._knows(asked):
            return Answer(401, {"message": "Bad credentials", "status": "401"})
        if asked.path in ("/graphql", "/api/graphql"):
            return Answer(200, self.repository.mutate(asked.body))
        for method, pattern, operation in ROUTES:
            if method == asked.method and (match := re.fullmatch(pattern, asked.path)):
                answer = self._judged(operation, asked, *match.groups(default=""))
                if self.scopes is not None:
                    answer.headers["X-OAuth-Scopes"] = self.scopes
                return answer
        self.violations.append(f"{asked.method} {asked.path}: no such operation here")
        return Answer(404, {"message": "Not Found", "status": "404"})

    def _knows(self, asked: Asked) -> bool:
        kind, _, shown = asked.headers.get("authorization", "").partition(" ")
        if self.app is not None and asked.path.endswith(("/installation", "/access_tokens")):
            return kind == "Bearer" and self.app.is_signed(shown)
        return shown == (self.app.token if self.app is not None else self.token)

    def _judged(self, operation: str, asked: Asked, *numbers: str) -> Answer:
        contract = self.repository.contract
        number = int(numbers[0]) if numbers and numbers[0] else 0
        try:
            answer = self._redirect(asked) or self._done(operation, asked, number)
        except Rejected as error:
            answer = Answer(error.status, error.body)
        # The schema's own prose: "You can also pass an `array` of labels directly".
        body = {"labels": asked.body} if isinstance(asked.body, list) else asked.body
        wrong = contract.request_faults(operation, asked.query, body)
        wrong += contract.answer_faults(operation, answer.status, answer.body)
        self.violations += [f"{operation}: {answer.status}: {text}" for text in wrong]
        return answer

    def _redirect(self, asked: Asked) -> Answer | None:
        slug = "/".join(asked.path.split("/")[2:4])
        if asked.path.startswith(("/repositories/", "/app/")) or slug == self.repository.slug:
            return None
        if not self.former_slug or slug != self.former_slug:
            raise Rejected(404, "Not Found")
        rest = asked.path.removeprefix(f"/repos/{slug}")
        place = f"{self.url}/repositories/1296269{rest}"
        body = {"message": "Moved Permanently", "url": place, "documentation_url": "https://docs.github.com"}
        return Answer(301 if asked.method == "GET" else 307, body, {"Location": place})

    def _done(self, operation: str, asked: Asked, number: int) -> Answer:
        repository = self.repository
        match operation.partition(" ")[0], asked.path.rpartition("/")[2]:
            case "GET", "pulls":
                found = repository.find_pulls(asked.query)
                return self._page(asked, repository.list_pulls(found))
            case "POST", "pulls":
                return Answer(201, repository.create_pull(asked.body))
            case "POST", "labels":
                return Answer(200, repository.add_labels(number, asked.body))
            case "DELETE", name:
                return Answer(200, repository.remove_label(number, unquote(name)))
            case "POST", "requested_reviewers":
                return Answer(201, repository.request_reviewers(number, asked.body))
            case "GET", "installation":
                return Answer(200, repository.show_installation(self.app))
            case "POST", "access_tokens":
                return Answer(201, repository.issue_token(self.app, asked.body))
            case "GET", "comments" | "reviews" as what:
                kind = "review" if what == "reviews" else KINDS[asked.path.split("/")[4]]
                return self._page(asked, repository.talk.listed(number, kind))
            case "GET", "permission":
                return Answer(200, repository.show_permission(unquote(asked.path.split("/")[-2])))
            case "POST", "replies":
                thread = int(asked.path.split("/")[-2])
                return Answer(201, repository.add_comment(number, asked.body, thread))
            case "POST", "comments":
                return Answer(201, repository.add_comment(number, asked.body))
            case "PATCH", _:
                return Answer(200, repository.edit_pull(number, asked.body))
            case "GET", ref if "/commits/" in asked.path:
                return Answer(200, repository.show_commit(ref))
            case _:
                return Answer(200, repository.show_pull(number) if number else repository.show())

    def _page(self, asked: Asked, found: list[Json]) -> Answer:
        size, page = int(asked.query.get("per_page", 30)), int(asked.query.get("page", 1))
        headers = {}
        if len(found) > size * page:
            following = urlencode({**asked.query, "page": page + 1})
            headers["Link"] = f'<{self.url}{asked.path}?{following}>; rel="next"'
        return Answer(200, found[size * (page - 1) : size * page], headers)
