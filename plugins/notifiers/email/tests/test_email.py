"""Mail to a real server on loopback: what arrives, and what each refusal becomes."""

import logging
import socket
import threading
from datetime import UTC, datetime, timedelta
from email import policy
from email.parser import BytesParser
from itertools import repeat

import pytest
from aiops_notifier_email import EmailConfig, EmailNotifier
from aiops_notifier_email.message import compose, parse_mailbox
from aiops_notifier_email.templates import Templates
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from aiops_core import Analysis, Context, Event, Incident, Outcome, Report, Retry, UserError, replace
from aiops_core.testing.smtp import HANG, RESET, SmtpServer

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
EVENT = Event(
    type="ValueError",
    message="bad",
    block="Traceback (most recent call last):\nValueError: bad",
    context_before=("INFO before",),
    context_after=("INFO after",),
)
INCIDENT = Incident(
    1, "shop", "v1:abc", "bad", "ValueError", "bad", "python", "error", "new", 2, NOON, NOON, (EVENT,)
)
REPORT = Report(
    key="shop/v1:abc/run-1",
    kind="incident",
    pipeline="shop",
    title="Bad value",
    incident=INCIDENT,
    analysis=Analysis("Bad value", "It is bad.", "Nobody checks it.", confidence=0.8, analyzer="claude"),
    outcomes=(Outcome("done", "Opened #17.", "https://git.example/shop/17"),),
    created_at=NOON,
)
EXPECTED_HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
]


def notifier(server=None, **changes):
    settings = {
        "to": ["ann@example.org"],
        "host": "127.0.0.1",
        "security": "none",
        "timeout": timedelta(seconds=5),
    }
    if server is not None:
        settings |= {"port": server.port, "security": server.security}
        settings |= {"ca_file": server.ca_file} if server.security != "none" else {}
    return EmailNotifier(EmailConfig(**(settings | changes)), Context(clock=lambda: NOON))


def words(report):
    return Templates(None, logging.getLogger()).write(report)


def read(raw):
    return BytesParser(policy=policy.default).parsebytes(raw)


def text_of(part):
    return part.get_content().replace("\r\n", "\n").rstrip("\n")


def test_a_report_arrives_as_text_html_and_attachments():
    with SmtpServer() as server:
        notifier(server, to=["Ann <ann@example.org>", "bob@example.org"], subject_prefix="[staging]").notify(
            REPORT
        )

    [mail] = server.messages
    message = read(mail.content)
    body, error, log = message.iter_parts()
    assert (mail.sender, mail.recipients) == ("aiops@example.org", ("ann@example.org", "bob@example.org"))
    assert message.keys() == EXPECTED_HEADERS
    assert message["Subject"] == "[staging] [ERROR] shop: Bad value"
    assert message["From"] == "aiops-core <aiops@example.org>"
    assert message["To"] == "Ann <ann@example.org>, bob@example.org"
    assert message["Date"].datetime == NOON
    assert message["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in body.iter_parts()] == ["text/plain", "text/html"]
    assert "Nobody checks it." in message.get_body(("plain",)).get_content()
    assert "https://git.example/shop/17" in message.get_body(("html",)).get_content()
    assert (error.get_filename(), log.get_filename()) == ("error.txt", "log-tail.txt")
    assert text_of(error) == EVENT.block
    assert text_of(log) == f"INFO before\n{EVENT.block}\nINFO after"
    assert all(len(line) <= 998 for line in mail.content.split(b"\r\n"))


def test_the_receipt_names_the_message_and_every_recipient():
    with SmtpServer() as server:
        receipt = notifier(server, to=["ann@example.org", "bob@example.org"]).notify(REPORT)

    assert receipt.ids == (read(server.messages[0].content)["Message-ID"],)
    assert [(each.recipient, each.accepted) for each in receipt.recipients] == [
        ("ann@example.org", True),
        ("bob@example.org", True),
    ]
    assert receipt.recipients[0].detail == "250 OK queued as 1"


def test_a_repeat_has_the_same_message_id_and_an_incident_is_one_thread():
    later = replace(REPORT, key="shop/v1:abc/run-2")
    with SmtpServer() as server:
        for report in (REPORT, REPORT, later):
            notifier(server).notify(report)

    first, again, next_one = (read(mail.content) for mail in server.messages)
    assert first["Message-ID"] == again["Message-ID"] != next_one["Message-ID"]
    assert first["References"] == first["In-Reply-To"] == next_one["References"]
    assert (
        server.messages[0].content.replace(b"=====", b"")[:300]
        == server.messages[1].content.replace(b"=====", b"")[:300]
    )


def test_a_fault_report_is_mail_too_and_belongs_to_no_thread():
    with SmtpServer() as server:
        notifier(server).notify(
            Report("fault-1", "fault", "shop", "source file: cannot read", "Permission denied.")
        )

    message = read(server.messages[0].content)
    assert message["Subject"] == "[FAULT] shop: source file: cannot read"
    assert message["References"] is None
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


# -- encryption and login --------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_is_encrypted_with_a_verified_certificate_and_logged_in(security):
    with SmtpServer(security=security, users={"aiops": "geheim"}) as server:
        notifier(server, username="aiops", password="geheim").notify(REPORT)

    assert [(mail.encrypted, mail.user) for mail in server.messages] == [(True, "aiops")]


def test_the_sender_logs_in_when_only_a_password_is_given():
    with SmtpServer(security="starttls", users={"aiops@example.org": "geheim"}) as server:
        notifier(server, password="geheim").notify(REPORT)

    assert server.messages[0].user == "aiops@example.org"


def test_a_server_without_starttls_gets_nothing_and_is_named():
    with SmtpServer() as server, pytest.raises(UserError) as caught:
        notifier(server, security="starttls").notify(REPORT)

    assert str(caught.value) == (
        f"email to 127.0.0.1:{server.port}: the server offers no STARTTLS. Write `security: tls`, or another port."
    )
    assert "MAIL" not in server.commands


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_of_an_unknown_authority_is_refused(security):
    with SmtpServer(security=security) as server, pytest.raises(UserError) as caught:
        notifier(server, ca_file="").notify(REPORT)

    assert str(caught.value) == (
        f"email to 127.0.0.1:{server.port}: the certificate cannot be trusted "
        "(unable to get local issuer certificate). Name its authority in `ca_file`."
    )
    assert "MAIL" not in server.commands


def test_a_certificate_of_another_host_is_refused():
    server = SmtpServer(security="starttls", certificate_for="elsewhere.example")

    with server, pytest.raises(UserError, match=r"certificate cannot be trusted .*127.0.0.1"):
        notifier(server).notify(REPORT)

    assert server.messages == []


def test_tls_from_the_first_byte_against_a_clear_port_says_so():
    with (
        SmtpServer() as server,
        pytest.raises(UserError, match=r"speaks no TLS there. Write `security: starttls`"),
    ):
        notifier(server, security="tls").notify(REPORT)


def test_a_wrong_password_is_not_tried_again_and_not_shown():
    server = SmtpServer(security="starttls", users={"aiops": "geheim"})

    with server, pytest.raises(UserError) as caught:
        notifier(server, username="aiops", password="falsch1").notify(REPORT)

    message = str(caught.value)
    assert message.startswith(f"email to 127.0.0.1:{server.port}: the login was refused (535 ")
    assert message.endswith("). Check username and password.")
    assert "falsch1" not in message


def test_a_login_that_is_refused_for_now_is_tried_again():
    with SmtpServer(security="starttls", users={"aiops": "geheim"}) as server:
        server.answer("AUTH", repeat("454 4.7.0 Temporary authentication failure"))
        with pytest.raises(Retry, match=r"454 4.7.0 Temporary authentication failure"):
            notifier(server, username="aiops", password="geheim").notify(REPORT)


def test_a_server_that_wants_a_login_is_named():
    server = SmtpServer(security="starttls", users={"aiops": "geheim"})

    with server, pytest.raises(UserError, match=r"530 .*It asks for a login or for encryption"):
        notifier(server).notify(REPORT)


# -- refusals --------------------------------------------------------------------------------------


def test_one_refused_recipient_does_not_stop_the_other_and_is_reported():
    with SmtpServer() as server:
        server.answer("RCPT gone@example.org", repeat("550 5.1.1 no such user"))
        receipt = notifier(server, to=["gone@example.org", "ann@example.org"]).notify(REPORT)

    gone, ann = receipt.recipients
    assert (gone.recipient, gone.accepted, gone.detail) == (
        "gone@example.org",
        False,
        "550 5.1.1 no such user",
    )
    assert ann.accepted
    assert [mail.recipients for mail in server.messages] == [("ann@example.org",)]


def test_when_every_recipient_is_refused_nothing_is_tried_again():
    with SmtpServer() as server:
        server.answer("RCPT ann@example.org", repeat("550 5.1.1 no such user"))
        with pytest.raises(UserError) as caught:
            notifier(server).notify(REPORT)

    assert str(caught.value) == (
        f"email to 127.0.0.1:{server.port}: every recipient was refused "
        "(ann@example.org: 550 5.1.1 no such user). Correct `to`."
    )


def test_a_greylisted_mail_is_accepted_at_the_next_try():
    with SmtpServer() as server:
        server.answer("RCPT ann@example.org", ["450 4.7.1 greylisted"])
        sender = notifier(server)
        with pytest.raises(Retry, match=r"\(ann@example.org: 450 4.7.1 greylisted\)"):
            sender.notify(REPORT)
        receipt = sender.notify(REPORT)

    assert receipt.recipients[0].accepted
    assert len(server.messages) == 1


def test_who_has_the_mail_gets_no_second_one_when_another_is_deferred():
    with SmtpServer() as server:
        server.answer("RCPT slow@example.org", ["451 4.3.0 later"])
        sender = notifier(server, to=["ann@example.org", "slow@example.org"])
        with pytest.raises(Retry):
            sender.notify(REPORT)
        receipt = sender.notify(REPORT)

    assert [mail.recipients for mail in server.messages] == [("ann@example.org",), ("slow@example.org",)]
    assert [each.accepted for each in receipt.recipients] == [True, True]
    assert len({read(mail.content)["Message-ID"] for mail in server.messages}) == 1


@pytest.mark.parametrize(
    ("command", "reply", "kind", "words"),
    [
        ("DATA", "451 4.3.0 disk full", Retry, r"not now \(451 4.3.0 disk full\)"),
        ("DATA", "421 4.3.2 going down", Retry, r"not now \(421 4.3.2 going down\)"),
        ("DATA", "554 5.7.1 spam", UserError, r"refused \(554 5.7.1 spam\)\. Ask whoever runs the server"),
        ("DATA", "552 5.3.4 too big", UserError, r"too large: lower `attach`"),
        ("MAIL", "553 5.7.1 not your address", UserError, r"553 5.7.1 not your address"),
        ("MAIL", "452 4.3.1 busy", Retry, r"452 4.3.1 busy"),
        ("DATA", RESET, Retry, r"email to 127.0.0.1:\d+: (Unexpected EOF|Connection lost)"),
        ("EHLO", RESET, Retry, r"Unexpected EOF|Connection lost"),
        ("DATA", "554 " + "x" * 400, UserError, r"554 x{200}\)"),
    ],
)
def test_a_refusal_that_may_pass_is_tried_again_and_a_lasting_one_is_not(command, reply, kind, words):
    with SmtpServer() as server:
        server.answer(command, repeat(reply))
        with pytest.raises(kind, match=words):
            notifier(server).notify(REPORT)


@pytest.mark.parametrize("command", ["EHLO", "MAIL", "DATA"])
def test_a_server_that_hangs_is_left_in_time(command):
    with SmtpServer() as server:
        server.answer(command, repeat(HANG))
        with pytest.raises(Retry) as caught:
            notifier(server, timeout=timedelta(seconds=0.15)).notify(REPORT)

    assert str(caught.value) == f"email to 127.0.0.1:{server.port}: no answer within 0.15 s."


@pytest.mark.parametrize("reply", [RESET, "500 what?"])
def test_a_mail_the_server_took_stays_sent_when_the_farewell_fails(reply):
    with SmtpServer() as server:
        server.answer("QUIT", repeat(reply))
        receipt = notifier(server).notify(REPORT)

    assert receipt.recipients[0].accepted
    assert len(server.messages) == 1


def test_nobody_listening_is_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(Retry, match=rf"email to 127.0.0.1:{port}: .*Connect call failed"):
        notifier(port=port).notify(REPORT)


def test_two_threads_may_send_at_once():
    with SmtpServer() as server:
        sender = notifier(server)
        reports = [replace(REPORT, key=f"k{number}") for number in range(4)]
        threads = [threading.Thread(target=sender.notify, args=(report,)) for report in reports]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

    assert len({read(mail.content)["Message-ID"] for mail in server.messages}) == 4


# -- what a log writes stays out of the headers ----------------------------------------------------


def composed(title, **changes):
    report = replace(REPORT, title=title, **changes)
    box = parse_mailbox("ann@example.org")
    return compose(
        report, words(report), parse_mailbox("a@example.org"), [box], prefix="", attach=1024, now=NOON
    )


INJECTIONS = [
    "=?utf-8?q?x=0ABcc=3A_evil=40e=2Ecom?=",
    "=?utf-8?q?x=0D=0A=0D=0Abody?=",
    "=?utf-8?b?eApCY2M6IGV2aWxAZS5jb20=?=",
    "==?utf-8?q?=0ABcc:_e@e?=?=",
    "x\nBcc: evil@e.com",
    "x\r\n\r\n<script>",
    "x\x0bBcc: evil@e.com",
    "x\u2028Bcc: evil@e.com\x85To: y",
    "\udcff\ud800",
    "word" * 60 + " é" * 60,
    "é" * 400,
]


@pytest.mark.parametrize("title", INJECTIONS)
def test_no_title_adds_a_header_or_an_address(title):
    message = read(composed(title))

    assert message.keys() == EXPECTED_HEADERS
    assert message["To"] == "ann@example.org"
    assert "\n" not in message["Subject"]


@settings(max_examples=40, deadline=None, database=None)
@given(
    st.text(alphabet=st.one_of(st.sampled_from("=?_\r\n\t,;<>\"'()@aé错😀"), st.characters()), max_size=200)
)
def test_whatever_a_log_says_the_headers_are_the_expected_ones(text):
    raw = composed(text, pipeline=text)

    assert read(raw).keys() == EXPECTED_HEADERS
    raw.decode("ascii")


def test_a_name_in_the_settings_cannot_add_a_header_either():
    sender = parse_mailbox("=?utf-8?q?x=0ABcc=3A_e=40e?= <a@example.org>")

    raw = compose(
        REPORT, words(REPORT), sender, [sender], prefix="=?utf-8?q?x=0ABcc=3A_e=40e?=", attach=0, now=NOON
    )

    assert sorted(read(raw).keys()) == sorted(EXPECTED_HEADERS)


def test_attachments_are_cut_to_their_size_and_the_log_keeps_its_tail():
    event = replace(EVENT, block="first\n" + "x" * 50_000 + "\nlast", context_after=("the very end",))

    message = read(composed("t", incident=replace(INCIDENT, events=(event,))))

    error, log = (text_of(part) for part in list(message.iter_parts())[1:])
    assert error.startswith("first\n")
    assert error.endswith("\nlast")
    assert "bytes left out …]" in error
    assert log.startswith("[… ")
    assert log.endswith("\nthe very end")
    assert max(len(error.encode()), len(log.encode())) < 1024 + 60


def test_nothing_is_attached_when_the_size_is_zero():
    box = parse_mailbox("a@example.org")

    raw = compose(REPORT, words(REPORT), box, [box], prefix="", attach=0, now=NOON)

    assert read(raw).get_content_type() == "multipart/alternative"


# -- settings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"to": []}, "at least 1 item"),
        ({"to": ["ann"]}, "'ann' is no mail address: write a@example.org or Name <a@example.org>"),
        ({"to": ["a@b.c\nBcc: d@e.f"]}, "is no mail address"),
        ({"to": ["a@b.c>, <d@e.f"]}, "is no mail address"),
        ({"sender": "x y@z"}, "is no mail address"),
        ({"username": "aiops"}, "a username needs a password"),
        ({"security": "none", "host": "mail.example.org", "password": "x"}, "would travel in clear text"),
        ({"port": 0}, "greater than or equal to 1"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(changes, words):
    with pytest.raises(ValidationError, match=words):
        notifier(**changes)


@pytest.mark.parametrize(
    ("changes", "address"),
    [
        ({"sender": "Ops <ops@example.org>", "password": "x"}, "ops@example.org"),
        ({"username": "bot@example.org", "password": "x"}, "bot@example.org"),
        ({"to": ["ann@example.org"]}, "aiops@example.org"),
    ],
)
def test_the_sender_is_the_setting_or_the_login_or_a_guess(changes, address):
    assert notifier(**changes).config.from_mailbox.address == address


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_port_follows_the_security(security, port):
    assert notifier(security=security)._server().port == port


def test_a_missing_authority_file_is_found_at_start(tmp_path):
    sender = EmailNotifier(EmailConfig(to=["a@b.c"], host="h", ca_file="ca.pem"), Context(directory=tmp_path))

    with pytest.raises(UserError) as caught:
        sender.start()

    expected = (
        f"ca_file: {tmp_path / 'ca.pem'}: No such file or directory. Name a file with PEM certificates."
    )
    assert str(caught.value) == expected


def test_the_password_is_in_no_representation():
    sender = notifier(password="geheim", security="starttls")

    assert "geheim" not in repr(sender.config) + repr(sender._server())


def test_the_host_is_asked_for_three_tries_five_minutes_apart():
    assert (EmailNotifier.attempts, EmailNotifier.retry_after) == (3, 300.0)


def test_a_probe_logs_in_and_sends_nothing():
    with SmtpServer(security="starttls", users={"ann": "pw"}) as server:
        found = notifier(server, username="ann", password="pw").probe()

    assert found == f"email to 127.0.0.1:{server.port}: logged in as ann"
    assert (server.messages, "MAIL" in server.commands) == ([], False)


def test_a_probe_says_which_login_is_refused_without_showing_it():
    with SmtpServer(security="starttls", users={"ann": "pw"}) as server, pytest.raises(UserError) as refusal:
        notifier(server, username="ann", password="wrong-secret").probe()

    assert "the login was refused (535" in str(refusal.value)
    assert "wrong-secret" not in str(refusal.value)


def test_a_probe_of_a_server_that_is_silent_ends_in_time():
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(Retry, match=r"no answer within 0\.3 s"),
    ):
        notifier(port=silent.getsockname()[1], timeout=timedelta(seconds=0.3)).probe()
