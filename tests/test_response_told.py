"""People are told, once and in any case, and nobody is told a secret."""

import json
from pathlib import Path

import pytest
from response_scene import RECORDED, answer, claude, claude_edit, fix_branches, pipeline, says, shop, trace

from aiops_core.cli import cli
from aiops_core.store import Store
from aiops_core.testing.http_peer import HttpPeer, Reply
from aiops_core.testing.messages_api import UNAUTHORIZED, MessagesApi
from aiops_core.testing.messages_api import answer as answered
from aiops_core.testing.pipeline import run_pipeline
from aiops_core.testing.smtp import SmtpServer

KEY = "sk-ant-dummy-00000000000000000000"
SECRET = "ghp_0123456789abcdefghijklmnopqrstuvwxyzAB"


@pytest.fixture
def repository(tmp_path):
    return shop(tmp_path / "git")


@pytest.fixture
def typed(tmp_path, capsys):
    """Return a function that types an aiops command over the state of this test."""

    def type_(*arguments: str) -> str:
        cli.main([*arguments, "--state", str(tmp_path / "state")], "aiops", standalone_mode=False)
        return capsys.readouterr().out

    return type_


def webhook(peer: HttpPeer, name: str = "webhook") -> str:
    return f"      - {{uses: webhook, name: {name}, with: {{url: '{peer.url}/hook'}}}}\n"


def email(server: SmtpServer) -> str:
    settings = f"to: [oncall@example.org], host: 127.0.0.1, port: {server.port}, security: none"
    return f"      - {{uses: email, with: {{{settings}}}}}\n"


def states(directory: Path) -> dict[str, str]:
    with Store.open(directory / "state") as store:
        return {row.target: row.state for row in store.deliveries.list() if row.report.kind == "incident"}


def reasons(directory: Path) -> list[str]:
    with Store.open(directory / "state") as store:
        return [run.reason for run in store.runs.of_incident(1)]


def test_a_model_is_asked_three_times_at_most_to_mend_its_edits(repository, tmp_path):
    wrong = [says(claude_edit(search=f"no such text {n}")) for n in range(9)]

    with MessagesApi(wrong) as api:
        text = pipeline(repository, analyzers=claude(api))
        done = run_pipeline(text, {"shop.log": trace()}, tmp_path, environment={"KEY": KEY})

    assert len(api.calls) == 3
    assert (fix_branches(repository), done.reports[0].change) == ([], None)
    assert "shop.py" in " ".join(decision.text for decision in done.reports[0].decisions)


def test_a_model_that_repeats_a_refused_edit_is_asked_no_more(repository, tmp_path):
    with MessagesApi(usual=says(claude_edit(search="no such text"))) as api:
        text = pipeline(repository, analyzers=claude(api))
        run_pipeline(text, {"shop.log": trace()}, tmp_path, environment={"KEY": KEY})

    assert len(api.calls) == 2


@pytest.mark.parametrize("nonsense", ["", "no JSON", '{"title": 7, "confidence": "very"}'])
def test_an_answer_that_is_nonsense_is_told_with_the_raw_error(tmp_path, nonsense):
    with MessagesApi(usual=answered(nonsense)) as api:
        text = pipeline(analyzers=claude(api))
        done = run_pipeline(text, {"shop.log": trace()}, tmp_path, environment={"KEY": KEY})

    (report,) = done.reports
    assert (report.analysis.confidence, report.change) == (0.0, None)
    assert "KeyError: 'count'" in report.incident.event.block
    assert 1 <= len(api.calls) <= 3


def test_a_mail_server_that_refuses_never_holds_up_the_webhook(tmp_path):
    with SmtpServer() as server, HttpPeer() as peer:
        server.answer("DATA", ["451 4.3.0 no space"] * 9)
        text = pipeline(notifiers=email(server) + webhook(peer))
        run_pipeline(text, {"shop.log": trace(), "answer.yaml": answer()}, tmp_path)

        assert states(tmp_path) == {"email": "failed", "webhook": "sent", "captured": "sent"}
        assert (server.messages, len(peer.requests)) == ([], 1)


def test_a_failed_delivery_is_listed_and_sent_again_with_its_key(tmp_path, typed):
    with HttpPeer([Reply(status=503)]) as peer:
        text = pipeline(notifiers=webhook(peer))
        run_pipeline(text, {"shop.log": trace(), "answer.yaml": answer()}, tmp_path)
        listed = next(line for line in typed("deliveries", "list").splitlines() if "webhook" in line)
        typed("deliveries", "retry", listed.split()[0])
        run_pipeline(text, {}, tmp_path)
        keys = [request.headers["idempotency-key"] for request in peer.requests]

    assert listed.split()[1] == "failed"
    assert (len(keys), len(set(keys))) == (2, 1)
    assert states(tmp_path)["webhook"] == "sent"


def test_a_fault_of_the_pipeline_is_told_once_however_often_it_strikes(tmp_path, typed):
    with MessagesApi(usual=UNAUTHORIZED) as api, HttpPeer() as peer:
        text = pipeline(analyzers=f"{claude(api)}\n{RECORDED}", notifiers=webhook(peer))
        for _ in range(3):
            run_pipeline(
                text, {"shop.log": trace(), "answer.yaml": answer()}, tmp_path, environment={"KEY": KEY}
            )
            typed("incidents", "retry", "1")
        bodies = [json.loads(request.body) for request in peer.requests]

    faults = [body for body in bodies if "claude" in json.dumps(body.get("title", body))]
    with Store.open(tmp_path / "state") as store:
        (fault,) = [row for row in store.faults() if "claude" in row.cause]
    assert (len(faults), fault.count) == (1, 3)


def test_a_resolved_incident_that_comes_back_is_answered_anew(repository, tmp_path, typed):
    text = pipeline(repository)
    run_pipeline(text, {"shop.log": trace(), "answer.yaml": answer()}, tmp_path)
    run_pipeline(text, {"shop.log": trace() * 2}, tmp_path)
    assert reasons(tmp_path) == ["new"]
    typed("incidents", "resolve", "1")

    done = run_pipeline(text, {"shop.log": trace() * 3}, tmp_path)

    assert (done.incidents[0].state, done.incidents[0].count) == ("regressed", 3)
    assert reasons(tmp_path) == ["new", "regressed"]
    assert len(fix_branches(repository)) == 1


def test_an_ignored_incident_is_counted_and_never_answered(tmp_path, typed):
    text = pipeline()
    run_pipeline(text, {"shop.log": trace(), "answer.yaml": answer()}, tmp_path)
    typed("incidents", "ignore", "1")

    done = run_pipeline(text, {"shop.log": trace() * 2}, tmp_path)

    assert (done.incidents[0].state, done.incidents[0].count, done.reports) == ("ignored", 2, ())


def test_a_secret_is_in_no_prompt_message_log_or_file_of_the_state(repository, tmp_path):
    repository.commit({"shop.py": f'TOKEN = "{SECRET}"\n' + (repository.path / "shop.py").read_text()})
    log = trace().replace("order 0", f"order token={SECRET} key={KEY}").replace("'count'", f"'{SECRET}'")

    with MessagesApi(usual=UNAUTHORIZED) as api, HttpPeer() as peer, SmtpServer() as server:
        text = pipeline(
            repository,
            analyzers=f"{claude(api)}\n{RECORDED}",
            notifiers=f"      - console\n{webhook(peer)}{email(server)}",
        )
        done = run_pipeline(
            text, {"shop.log": log, "answer.yaml": answer()}, tmp_path, environment={"KEY": KEY}
        )
        said = {
            "prompts": b"".join(request.body for request in api.requests),
            "webhook": b"".join(request.body for request in peer.requests),
            "mail": b"".join(mail.content for mail in server.messages),
            "log": done.log.encode(),
            "reports": str(done.reports).encode(),
        }

    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    of_the_repository = {"mirrors", "grounds"}  # its own files, as they were committed
    said |= {str(path): path.read_bytes() for path in files if not of_the_repository & set(path.parts)}
    assert [name for name, text in said.items() if not text and name in {"prompts", "webhook", "mail"}] == []
    assert [name for name, text in said.items() if SECRET.encode() in text or KEY.encode() in text] == []
