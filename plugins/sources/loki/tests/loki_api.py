"""Loki as far as log queries go: real answers' shapes over HTTP, entries that arrive in time."""

import json
import random
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Entry:
    """One line of a stream, and when a query finds it for the first time."""

    labels: dict
    time: int
    line: str
    arrival: datetime | None = None
    metadata: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What is answered instead of the truth."""

    status: int
    body: bytes = b""
    headers: dict = field(default_factory=dict)


class LokiApi:
    """A Loki on loopback; ``failures`` are answered first, one a request."""

    def __init__(
        self, entries=(), *, clock=lambda: datetime.now(UTC), headers=(), most=5000, categorizes=True
    ):
        self.entries = list(entries)
        self.failures = []
        self.requests = []
        self.clock = clock
        self.headers = dict(headers)
        self.most = most
        self.categorizes = categorizes
        self._random = random.Random(7)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(0.02), daemon=True)

    def tls(self, context):
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        return self

    @property
    def place(self):
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self):
        return f"http://{self.place}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def answer(self, path, query, headers):
        self.requests.append(query)
        if self.failures:
            return self.failures.pop(0)
        if any(headers.get(name) != value for name, value in self.headers.items()):
            return Answer(401, b"no org id\n")
        if path != "/loki/api/v1/query_range":
            return Answer(404, b"404 page not found\n")
        limit = int(query["limit"])
        if limit > self.most:
            told = f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {self.most})"
            return Answer(400, told.encode())
        assert query["direction"] == "forward"
        found = self._found(int(query["start"]), int(query["end"]))[:limit]
        flagged = self.categorizes and "categorize-labels" in headers.get(
            "x-loki-response-encoding-flags", ""
        )
        return Answer(200, json.dumps(_streams(found, flagged)).encode())

    def _found(self, start, end):
        """Return the entries of a span: of one time in any order of streams, in a stream as they were sent."""
        now = self.clock()
        there = [
            one
            for one in self.entries
            if start <= one.time < end and (one.arrival is None or one.arrival <= now)
        ]
        streams = sorted({json.dumps(one.labels, sort_keys=True) for one in there})
        self._random.shuffle(streams)
        rank = {stream: number for number, stream in enumerate(streams)}
        return sorted(there, key=lambda one: (one.time, rank[json.dumps(one.labels, sort_keys=True)]))


def _streams(entries, flagged):
    streams = {}
    for one in entries:
        labels = one.labels if flagged else {**one.labels, **one.metadata}
        value = [str(one.time), one.line]
        if flagged:
            value.append({"structuredMetadata": one.metadata} if one.metadata else {})
        streams.setdefault(json.dumps(labels, sort_keys=True), (labels, []))[1].append(value)
    data = {
        "resultType": "streams",
        "result": [{"stream": labels, "values": values} for labels, values in streams.values()],
        "stats": {"summary": {"totalLinesProcessed": len(entries)}},
    }
    if flagged:
        data["encodingFlags"] = ["categorize-labels"]
    return {"status": "success", "data": data}


def _handler(api):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = 1 << 16

        def do_GET(self):
            headers = {name.lower(): value for name, value in self.headers.items()}
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            answer = api.answer(parts.path, query, headers)
            self.send_response(answer.status)
            kind = "application/json; charset=UTF-8" if answer.status == 200 else "text/plain; charset=utf-8"
            self.send_header("Content-Type", kind)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_):
            """Keep tests quiet."""

    return Handler
