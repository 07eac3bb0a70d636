"""Elasticsearch as far as searches go: real answers' shapes over HTTP, documents that arrive in time."""

import gzip
import json
import random
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

SECOND = 10**9
LAST = (1 << 63) - 1


@dataclass(frozen=True)
class Document:
    """A document, and when a search finds it for the first time."""

    id: str
    source: dict
    arrival: datetime | None = None
    index: str = "logs-1"


@dataclass(frozen=True)
class Answer:
    """What is answered instead of the truth."""

    status: int
    body: object = field(default_factory=dict)
    headers: dict = field(default_factory=dict)


def error(status, kind, reason, **headers):
    """Return an error as Elasticsearch words it."""
    cause = {"type": kind, "reason": reason}
    body = {"error": {"root_cause": [cause], **cause}, "status": status}
    return Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def nanoseconds(text):
    head, _, fraction = text.removesuffix("Z").partition(".")
    return int(datetime.fromisoformat(head + "+00:00").timestamp()) * SECOND + int(
        (fraction or "0").ljust(9, "0")
    )


def place(sort):
    return nanoseconds(sort[0]), *sort[1:]


class ElasticsearchApi:
    """A cluster on loopback; ``failures`` are answered first, one a request."""

    def __init__(self, documents=(), *, clock=lambda: datetime.now(UTC), login=""):
        self.documents = list(documents)
        self.failures = []
        self.requests = []
        self.queries = []
        self.clock = clock
        self.login = login
        self.product = "Elasticsearch"
        self.shards = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}
        self.points = {}
        self._opened = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(0.02), daemon=True)

    def tls(self, context):
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        return self

    @property
    def port(self):
        return self._server.server_address[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def answer(self, method, path, query, headers, body):
        self.requests.append((method, path, body))
        self.queries.append(query)
        if self.failures:
            return self.failures.pop(0)
        if self.login and headers.get("authorization") != self.login:
            return error(401, "security_exception", "unable to authenticate user")
        index, _, action = path.lstrip("/").rpartition("/")
        if (method, action) == ("POST", "_pit"):
            return self._open(index)
        if (method, action) == ("DELETE", "_pit"):
            freed = self.points.pop(body["id"], None) is not None
            return Answer(200, {"succeeded": freed, "num_freed": int(freed)})
        if (method, action) == ("POST", "_count"):
            count = len(self._matching(self._there(), body["query"]))
            return Answer(200, {"count": count, "_shards": self.shards})
        if (method, path) == ("POST", "/_search"):
            return self._search(body)
        return error(400, "illegal_argument_exception", f"no handler found for {path}")

    def _there(self):
        now = self.clock()
        return [one for one in self.documents if one.arrival is None or one.arrival <= now]

    def _open(self, index):
        """Hold the documents of this moment; their numbers differ from one point in time to the next."""
        self._opened += 1
        there = self._there()
        random.Random(self._opened).shuffle(there)
        self.points[f"pit-{self._opened}"] = list(enumerate(there))
        return Answer(200, {"id": f"pit-{self._opened}", "_shards": self.shards})

    def _search(self, body):
        if body["pit"]["id"] not in self.points:
            return error(404, "search_context_missing_exception", "No search context found for id [7]")
        numbered = self.points[body["pit"]["id"]]
        fields = [field for (field,) in body["sort"]]
        wanted = {id(one) for one in self._matching([one for _, one in numbered], body["query"])}
        hits = [(self._sort(one, fields, number), one) for number, one in numbered if id(one) in wanted]
        hits.sort(key=lambda hit: place(hit[0]))
        if after := body.get("search_after"):
            hits = [hit for hit in hits if place(hit[0]) > place(after)]
        return Answer(200, self._hits(body["pit"]["id"], hits[: body["size"]]))

    def _sort(self, document, fields, number):
        """Return a document's sort values; the last one numbers it within the point in time."""
        flat = [document.source.get(field, LAST) for field in fields[1:]]
        return [document.source[fields[0]], *flat, number]

    def _hits(self, pit, hits):
        listed = [
            {"_index": one.index, "_id": one.id, "_score": None, "_source": one.source, "sort": sort}
            for sort, one in hits
        ]
        return {
            "pit_id": pit,
            "took": 3,
            "timed_out": False,
            "_shards": self.shards,
            "hits": {"max_score": None, "hits": listed},
        }

    def _matching(self, documents, query):
        ((time_field, span),) = query["bool"]["filter"][0]["range"].items()
        since, until = nanoseconds(span["gte"]), nanoseconds(span["lt"])
        return [
            one
            for one in documents
            if time_field in one.source and since <= nanoseconds(one.source[time_field]) < until
        ]


def _handler(api):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = 1 << 16

        def _answer(self):
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.headers.get("content-encoding") == "gzip":
                raw = gzip.decompress(raw)
            headers = {name.lower(): value for name, value in self.headers.items()}
            parts = urlsplit(self.path)
            body = json.loads(raw) if raw else {}
            answer = api.answer(self.command, parts.path, parse_qs(parts.query), headers, body)
            written = json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/vnd.elasticsearch+json;compatible-with=9")
            if api.product:
                self.send_header("X-Elastic-Product", api.product)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, *_):
            """Keep tests quiet."""

        do_GET = do_POST = do_DELETE = _answer

    return Handler
