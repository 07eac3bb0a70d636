"""GitHub's REST API for one repository, as a real server on loopback.

Every request and every answer is held against GitHub's own schemas; what does not fit is kept in
``violations``, which a test must find empty. ``GithubApi(..., prefix="/api/v3")`` is an
Enterprise server. ``watch`` hears of every request ``before`` and ``after`` it is carried out;
True hangs up.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from github_repository import Pull, Rejected, StubRepository

Json = Any  # JSON of GitHub's shape, judged by the contract
ROUTES = (
    ("GET", r"/repos/[^/]+/[^/]+|/repositories/1296269", "GET /repos/{owner}/{repo}"),
    ("GET", r"/repos/[^/]+/[^/]+/pulls", "GET /repos/{owner}/{repo}/pulls"),
    ("POST", r"/repos/[^/]+/[^/]+/pulls", "POST /repos/{owner}/{repo}/pulls"),
    ("GET", r"/repos/[^/]+/[^/]+/pulls/(\d+)", "GET /repos/{owner}/{repo}/pulls/{pull_number}"),
    (
        "POST",
        r"/repos/[^/]+/[^/]+/issues/(\d+)/labels",
        "POST /repos/{owner}/{repo}/issues/{issue_number}/labels",
    ),
    (
        "POST",
        r"/repos/[^/]+/[^/]+/pulls/(\d+)/requested_reviewers",
        "POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers",
    ),
)


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Json
    token: str


@dataclass
class Answer:
    """What the server says."""

    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """An answer to give instead, ``times`` times; ``after``: the request is carried out first."""

    method: str
    path: str
    answer: Answer | None
    after: bool = False
    times: int = 1

    def hits(self, asked: Asked) -> bool:
        """Say whether this request is to go wrong."""
        return self.times > 0 and asked.method == self.method and bool(re.search(self.path, asked.path))


class GithubApi:
    """The server; use as a context manager."""

    def __init__(self, git: Path, *, slug: str = "acme/shop", token: str = "", prefix: str = "") -> None:
        self.server = _Server(("127.0.0.1", 0), _handler(self))
        base_url = f"http://127.0.0.1:{self.server.server_port}"
        self.prefix = prefix
        self.url = base_url + prefix
        self.repository = StubRepository(git, base_url, self.url, slug)
        self.token = token
        self.former_slug = ""
        self.faults: list[Fault] = []
        self.requests: list[Asked] = []
        self.violations: list[str] = []
        self.watch: Callable[[Asked, str], bool] = lambda asked, when: False
        self.released = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> GithubApi:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self.server.socket.shutdown(socket.SHUT_RDWR)  # ends the wait for the next client at once
        self._thread.join()
        self.server.server_close()

    def _serve(self) -> None:
        while not self.released.is_set():
            self.server.handle_request()

    @property
    def pulls(self) -> list[Pull]:
        """Every pull request, oldest first."""
        return list(self.repository.pulls.values())

    def count(self, method: str, path: str) -> int:
        """Return how many requests of that kind came in."""
        return sum(1 for asked in self.requests if asked.method == method and re.search(path, asked.path))

    def fail(
        self,
        method: str,
        path: str,
        status: int,
        body: Json,
        *,
        after: bool = False,
        times: int = 1,
        **headers: str,
    ) -> None:
        """Let the next such request fail."""
        answer = Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})
        self.faults.append(Fault(method, path, answer, after=after, times=times))

    def hang(self, method: str, path: str, *, after: bool = False) -> None:
        """Leave the next such request without an answer until the server ends."""
        self.faults.append(Fault(method, path, None, after=after))

    def answer(self, asked: Asked) -> Answer | None:
        """Answer one request; None hangs up without a word."""
        with self._lock:
            self.requests.append(asked)
            if self.watch(asked, "before"):
                return None
            fault = next((fault for fault in self.faults if fault.hits(asked)), None)
            answer = self._carried_out(asked) if fault is None or fault.after else None
            if self.watch(asked, "after"):
                return None
            if fault is None:
                return answer
            fault.times -= 1
        if fault.answer is None:
            self.released.wait(10)
        return fault.answer

    def _carried_out(self, asked: Asked) -> Answer:
        if asked.token != self.token:
            return Answer(401, {"message": "Bad credentials", "status": "401"})
        for method, pattern, operation in ROUTES:
            if method == asked.method and (match := re.fullmatch(pattern, asked.path)):
                return self._judged(operation, asked, *match.groups(default=""))
        self.violations.append(f"{asked.method} {asked.path}: no such operation here")
        return Answer(404, {"message": "Not Found", "status": "404"})

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
        if asked.path.startswith("/repositories/") or slug == self.repository.slug:
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
                return self._page(asked, repository.find_pulls(asked.query))
            case "POST", "pulls":
                return Answer(201, repository.create_pull(asked.body))
            case "POST", "labels":
                return Answer(200, repository.add_labels(number, asked.body))
            case "POST", "requested_reviewers":
                return Answer(201, repository.request_reviewers(number, asked.body))
            case _:
                return Answer(200, repository.show_pull(number) if number else repository.show())

    def _page(self, asked: Asked, pulls: list[Pull]) -> Answer:
        size, page = int(asked.query.get("per_page", 30)), int(asked.query.get("page", 1))
        headers = {}
        if len(pulls) > size * page:
            following = urlencode({**asked.query, "page": page + 1})
            headers["Link"] = f'<{self.url}{asked.path}?{following}>; rel="next"'
        shown = self.repository.list_pulls(pulls[size * (page - 1) : size * page])
        return Answer(200, shown, headers)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client that was killed
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # as it came


def _handler(api: GithubApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # no waiting for a delayed acknowledgement

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(
                self.command,
                address.path.removeprefix(api.prefix),
                dict(parse_qsl(address.query, keep_blank_values=True)),
                json.loads(body) if body else None,
                self.headers.get("Authorization", "").partition(" ")[2],
            )
            self._send(api.answer(asked))

        do_POST = do_GET

        def _send(self, answer: Answer | None) -> None:
            if answer is None:
                self.close_connection = True
                return
            text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            self.send_response(answer.status)
            self.send_header(
                "Content-Type", "text/html" if isinstance(answer.body, str) else "application/json"
            )
            self.send_header("Content-Length", str(len(text.encode())))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    return Handler
