"""What is answered to webhooks, and that they do no more than wake the poll of a request that is known."""

import base64
import hashlib
import hmac
import json

import pytest
from github_bench import GithubBench
from gitlab_bench import GitlabBench
from talk_scene import TalkScene

from aiops_core.repair import WEBHOOK_LIMIT
from aiops_core.respond.webhooks import receive_webhook

SECRET = "s3cret-of-the-hook"
SIGNING = "whsec_" + base64.b64encode(b"a key of thirty-two bytes, or so").decode()
JSON = {"Content-Type": "application/json"}


def github_payload(path, number, **more):
    return {"action": "created", "issue": {"number": number}, "repository": {"full_name": path}, **more}


def gitlab_payload(path, number, **more):
    project = {"path_with_namespace": path}
    return {"object_kind": "note", "merge_request": {"iid": number}, "project": project, **more}


def signed_by_github(body, secret=SECRET, delivery="d-1"):
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {**JSON, "X-Hub-Signature-256": f"sha256={signature}", "X-GitHub-Delivery": delivery}


def signed_by_gitlab(body, at, secret=SIGNING, id_="d-1"):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{id_}.{at}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    headers = {"webhook-id": id_, "webhook-timestamp": f"{at}", "webhook-signature": signature}
    return {**JSON, **headers, "Idempotency-Key": id_}


class Hook:
    """The endpoint of one request's action, spoken to as its forge does."""

    def __init__(self, bench, scene):
        self.bench, self.scene = bench, scene
        self.is_github = bench.action_type.words.name == "GitHub"

    def body(self, path=None, number=1, **more):
        payload = github_payload if self.is_github else gitlab_payload
        return json.dumps(payload(path or self.bench.path, number, **more)).encode()

    def headers(self, body, secret=SECRET, delivery="d-1"):
        if self.is_github:
            return signed_by_github(body, secret, delivery)
        return {**JSON, "X-Gitlab-Token": secret, "Idempotency-Key": delivery}

    def send(self, body, headers, pipeline="shop", action=None):
        scene = self.scene
        name = action or self.bench.action_type.words.component
        return receive_webhook(scene.loaded.pipelines, scene.store, pipeline, name, headers, body)

    @property
    def wait(self):
        """Seconds until the poll is due."""
        (job,) = (job for job in self.scene.store.queue.jobs() if job.kind == "talk")
        return (job.due_at - self.scene.clock()).total_seconds()


@pytest.fixture
def make_hook(bench, tmp_path):
    made = []

    def make(secret=SECRET):
        scene = TalkScene(bench, tmp_path / "pipeline", hook_secret=secret)
        made.append(scene)
        scene.listen_to(bench.add("fix/by-us"))
        return Hook(bench, scene)

    yield make
    for scene in made:
        scene.close()


@pytest.fixture
def hook(make_hook):
    return make_hook()


on_github = pytest.mark.parametrize("bench_type", [GithubBench], ids=["github"])
on_gitlab = pytest.mark.parametrize("bench_type", [GitlabBench], ids=["gitlab"])


def test_s35_s36_a_webhook_of_the_forge_wakes_the_poll(hook):
    assert hook.wait == 60
    body = hook.body()

    answer = hook.send(body, hook.headers(body))

    assert (answer.status, answer.text) == (200, "heard")
    assert hook.wait == 1


def test_s35_s36_header_names_are_read_in_any_case(hook):
    body = hook.body()

    answer = hook.send(body, {name.upper(): value for name, value in hook.headers(body).items()})

    assert answer.text == "heard"


@pytest.mark.parametrize("secret", ["wrong", "", SECRET[:-1], SECRET + "x", "S3CRET-OF-THE-HOOK", "ß" * 9])
def test_s35_s36_a_wrong_secret_is_refused_and_wakes_nothing(hook, secret):
    body = hook.body()

    answer = hook.send(body, hook.headers(body, secret))

    assert (answer.status, answer.text) == (401, "not signed with the secret of this webhook")
    assert hook.wait == 60


def test_s35_s36_without_a_configured_secret_nothing_is_accepted(make_hook):
    hook = make_hook(secret="")
    body = hook.body()

    assert hook.send(body, hook.headers(body, "")).status == 401
    assert hook.send(body, JSON).status == 401


def forged(body):
    """Yield headers that look signed and are not."""
    right = signed_by_github(body)["X-Hub-Signature-256"]
    sha1 = hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()
    yield {}
    yield {"X-Hub-Signature": f"sha1={sha1}"}
    for value in (
        "",
        "sha256=",
        right[:-1],
        right.upper(),
        right.replace("sha256=", "SHA256="),
        f"sha1={sha1}",
    ):
        yield {"X-Hub-Signature-256": value}
    yield {"X-Hub-Signature-256": right.removeprefix("sha256=")}
    yield {"X-Hub-Signature-256": f" {right}"}


@on_github
def test_s35_a_signature_that_is_missing_short_old_or_in_another_case_is_refused(hook):
    body = hook.body()

    for headers in forged(body):
        assert hook.send(body, {**JSON, **headers}).status == 401, headers
    assert hook.wait == 60


@on_github
def test_s35_the_signature_is_of_the_bytes_as_they_came(hook):
    body = hook.body()
    headers = hook.headers(body)

    assert hook.send(body.replace(b": ", b":"), headers).status == 401
    assert hook.send(body + b"\n", headers).status == 401
    assert hook.send(body, headers).status == 200


def test_s35_s36_nothing_is_parsed_before_the_sender_is_known(hook):
    assert hook.send(b"{" * 100_000, JSON).status == 401

    body = b"[" * 100_000
    assert hook.send(body, hook.headers(body)).status == 200
    assert hook.wait == 60


def test_s35_s36_a_delivery_that_comes_again_does_nothing(hook):
    body = hook.body()
    hook.send(body, hook.headers(body))
    hook.scene.work(kinds=())
    hook.scene.restart()

    again = hook.send(body, hook.headers(body))
    renamed = hook.send(body, hook.headers(body, delivery="d-2"))
    other = hook.body(note="another")
    same_name = hook.send(other, hook.headers(other))

    assert [again.text, renamed.text, same_name.text] == ["came before"] * 3


@on_gitlab
def test_s36_a_signing_token_makes_the_signature_count_and_the_plain_token_no_more(make_hook):
    hook = make_hook(SIGNING)
    body, now = hook.body(), int(hook.scene.clock().timestamp())

    assert hook.send(body, {**JSON, "X-Gitlab-Token": SIGNING}).status == 401
    assert hook.send(body, {**signed_by_gitlab(body, now), "webhook-signature": "v1,"}).status == 401
    assert hook.send(body + b" ", signed_by_gitlab(body, now)).status == 401
    assert hook.send(body, {**signed_by_gitlab(body, now), "webhook-id": "d-2"}).status == 401
    for skew in (-301, 301):
        assert hook.send(body, signed_by_gitlab(body, now + skew)).status == 401
    headers = signed_by_gitlab(body, now - 299)
    headers["webhook-signature"] = f"v1,b3RoZXI= {headers['webhook-signature']}"  # a token is being changed
    assert hook.send(body, headers).text == "heard"


def test_s37_a_body_too_long_is_refused_before_it_is_looked_at(hook):
    body = b" " * (WEBHOOK_LIMIT + 1)

    assert hook.send(body, hook.headers(body)).status == 413


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", ""])
def test_s37_another_content_type_is_refused(hook, kind):
    body = hook.body()

    assert hook.send(body, {**hook.headers(body), "Content-Type": kind}).status == 415
    assert hook.wait == 60


def test_s37_a_webhook_is_answered_without_a_word_to_the_forge(hook):
    body, before = hook.body(), len(hook.bench.api.requests)

    hook.send(body, {**hook.headers(body), "Content-Type": "application/json; charset=utf-8"})

    assert len(hook.bench.api.requests) == before


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ({"path": "mallory/shop"}, "about another repository"),
        ({"number": 2}, "nothing to do"),
        ({"number": None}, "nothing to do"),
    ],
)
def test_s38_what_is_not_about_a_request_that_is_known_wakes_nothing(hook, what, text):
    body = hook.body(**what)

    answer = hook.send(body, hook.headers(body))

    assert (answer.status, answer.text, hook.wait) == (200, text, 60)


def test_s38_no_address_ref_or_word_of_a_payload_is_used(hook):
    evil = "https://evil.example/api/v4"
    body = hook.body(
        comment={"body": "/aiops stop", "user": {"login": "ann"}, "url": evil},
        object_attributes={"note": "/aiops stop", "url": evil, "iid": 1},
        sender={"url": evil},
        ref="refs/heads/evil",
    )

    hook.send(body, hook.headers(body))
    hook.scene.wait(60)

    assert hook.scene.store.talks.remarks(hook.scene.talk_place) == []
    assert {request.headers["host"] for request in hook.bench.api.requests} == {
        hook.bench.api.base_url.partition("//")[2]
    }


@pytest.mark.parametrize(
    ("pipeline", "action"), [("other", None), ("shop", "local_branch"), ("shop", "../x")]
)
def test_s38_a_webhook_for_nothing_that_is_configured_is_not_found(hook, pipeline, action):
    body = hook.body()

    assert hook.send(body, hook.headers(body), pipeline, action).status == 404
