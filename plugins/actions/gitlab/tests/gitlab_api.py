"""GitLab's REST API for one project, as a real server on loopback.

Parameters are those GitLab documents for each call; others, and missing ones, are violations.
``GitlabApi(..., prefix="/gitlab")`` is a GitLab that lives under a path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from gitlab_project import Json, Refusal, StubProject

from aiops_core.testing.api_stub import Answer, ApiStub, Asked

PAGED = ("page", "per_page")


class Operation(NamedTuple):
    """One documented call: what it may be given, and what it must be."""

    method: str
    path: str
    may: tuple[str, ...] = ()
    must: tuple[str, ...] = ()


PROJECT = "/projects/:id"
REQUESTS = f"{PROJECT}/merge_requests"
OPERATIONS = (
    Operation("GET", PROJECT, ("statistics", "license")),
    Operation(
        "GET",
        REQUESTS,
        ("state", "order_by", "sort", "source_branch", "target_branch", "search", "in", "scope", *PAGED),
    ),
    Operation(
        "POST",
        REQUESTS,
        ("description", "labels", "reviewer_ids", "assignee_ids", "remove_source_branch", "squash"),
        ("source_branch", "target_branch", "title"),
    ),
    Operation("GET", f"{REQUESTS}/:iid", ("render_html",)),
    Operation(
        "PUT",
        f"{REQUESTS}/:iid",
        (
            "title",
            "description",
            "add_labels",
            "remove_labels",
            "labels",
            "reviewer_ids",
            "state_event",
            "target_branch",
        ),
    ),
    Operation("POST", f"{REQUESTS}/:iid/notes", ("created_at", "internal"), ("body",)),
    Operation("GET", f"{REQUESTS}/:iid/discussions", PAGED),
    Operation("POST", f"{REQUESTS}/:iid/discussions/:thread/notes", ("note_id", "created_at"), ("body",)),
    Operation("GET", f"{PROJECT}/members/all/:user_id"),
    Operation("GET", "/users/:user_id"),
    Operation("GET", "/personal_access_tokens/:id"),
    Operation("GET", f"{PROJECT}/repository/merge_base", (), ("refs[]",)),
    Operation("GET", f"{PROJECT}/repository/branches/:branch"),
    Operation("GET", f"{PROJECT}/repository/commits/:sha", ("stats",)),
    Operation("GET", "/users", ("username", "search", "active", *PAGED)),
)


class GitlabApi(ApiStub):
    """The server; use as a context manager."""

    def __init__(
        self,
        git: Path,
        *,
        path: str = "acme/backend/shop",
        token: str = "",
        prefix: str = "",
        tls: bool = False,
    ) -> None:
        super().__init__(prefix=prefix, tls=tls)
        self.project = StubProject(git, self.url, path)
        self.token = token
        self.former_path = ""
        self.scopes: list[str] | None = ["api", "write_repository"]
        """Scopes of the token, None of a GitLab that does not tell."""

    def carried_out(self, asked: Asked) -> Answer:
        """Do what is asked, for who has the token."""
        if asked.headers.get("private-token") != self.token:
            return Answer(401, {"message": "401 Unauthorized"})
        for operation in OPERATIONS:
            pattern = re.sub(r":\w+", "([^/]+)", f"/api/v4{operation.path}")
            if operation.method == asked.method and (match := re.fullmatch(pattern, asked.path)):
                return self._judged(operation, asked, [unquote(value) for value in match.groups()])
        self.violations.append(f"{asked.method} {asked.path}: no such operation here")
        return Answer(404, {"error": "404 Not Found"})

    def _judged(self, operation: Operation, asked: Asked, values: list[str]) -> Answer:
        given = {**asked.query, **(asked.body or {})}
        where = f"{operation.method} {operation.path}"
        self.violations += [
            f"{where}: unknown {name}" for name in given.keys() - {*operation.may, *operation.must}
        ]
        if missing := [name for name in operation.must if not given.get(name)]:
            self.violations += [f"{where}: no {name}" for name in missing]
            return Answer(400, {"error": ", ".join(f"{name} is missing" for name in missing)})
        try:
            if operation.path.startswith(PROJECT):
                self._check_project(values[0])
            return self._done(operation, asked, values)
        except Moved as moved:
            place = f"{self.url}{asked.path.replace(moved.path, '42')}"
            return Answer(301, {"message": "301"}, {"Location": place})
        except Refusal as refusal:
            return Answer(refusal.status, refusal.body)

    def _check_project(self, id_: str) -> None:
        if id_ == self.former_path:
            raise Moved(id_.replace("/", "%2F"))
        if id_ not in ("42", self.project.path):
            raise Refusal(404, "404 Project Not Found")

    def _done(self, operation: Operation, asked: Asked, values: list[str]) -> Answer:
        project, iid = self.project, int(values[1]) if ":iid" in operation.path else 0
        done: Mapping[tuple[str, str], Callable[[], Json]] = {
            ("GET", PROJECT): project.show,
            ("POST", REQUESTS): lambda: project.create(asked.body),
            ("GET", f"{REQUESTS}/:iid"): lambda: project.describe(project.get(iid)),
            ("PUT", f"{REQUESTS}/:iid"): lambda: project.update(iid, asked.body),
            ("POST", f"{REQUESTS}/:iid/notes"): lambda: project.add_note(iid, asked.body),
            ("POST", f"{REQUESTS}/:iid/discussions/:thread/notes"): lambda: project.add_note(
                iid, asked.body, values[2]
            ),
            ("GET", f"{PROJECT}/members/all/:user_id"): lambda: project.show_member(int(values[1])),
            ("GET", "/personal_access_tokens/:id"): self._show_token,
            ("GET", "/users/:user_id"): lambda: project.show_user(int(values[0])),
            ("GET", f"{PROJECT}/repository/merge_base"): lambda: project.merge_base(asked.lists["refs[]"]),
            ("GET", f"{PROJECT}/repository/branches/:branch"): lambda: project.branch(values[1]),
            ("GET", f"{PROJECT}/repository/commits/:sha"): lambda: project.show_commit(values[1]),
        }
        if operation.path == REQUESTS and operation.method == "GET":
            return self._page(asked, [project.describe(one) for one in project.find(asked.query)])
        if operation.path.endswith("/discussions"):
            return self._page(asked, project.talk.discussions(iid))
        if operation.path == "/users":
            return Answer(200, project.find_users(asked.query), {"X-Total": "1"})
        return Answer(201 if operation.method == "POST" else 200, done[operation.method, operation.path]())

    def _show_token(self) -> Json:
        if self.scopes is None:
            raise Refusal(404, "404 Not Found")
        return {"id": 1, "name": "aiops", "revoked": False, "active": True, "scopes": self.scopes}

    def _page(self, asked: Asked, found: list[Json]) -> Answer:
        size, page = int(asked.query.get("per_page", 20)), int(asked.query.get("page", 1))
        shown = found[size * (page - 1) : size * page]
        headers = {"X-Per-Page": str(size), "X-Page": str(page)}
        if len(found) > size * page:
            rest = "&".join(f"{name}={value}" for name, value in {**asked.query, "page": page + 1}.items())
            headers["Link"] = f'<{self.url}{asked.path}?{rest}>; rel="next"'
        return Answer(200, shown, headers)


class Moved(Exception):
    """Answer with where the project is now."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(path)
