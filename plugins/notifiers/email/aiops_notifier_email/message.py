"""The mail itself: headers nothing from a log can add to, text and HTML, the log attached."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime

from aiops_core import AiopsError, Event, Report, clean
from aiops_notifier_email.templates import Words

_POLICY = policy.SMTP.clone(cte_type="7bit")
_LOCAL = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
_DOMAIN = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
_MAILBOX = re.compile(
    rf"(?:(?P<name>[^<>\r\n]*?)\s*<(?P<in>{_LOCAL}@{_DOMAIN})>|(?P<bare>{_LOCAL}@{_DOMAIN}))"
)
_SAFE_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address and the name that goes with it, "" without one."""

    address: str
    name: str = ""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def parse_mailbox(text: str) -> Mailbox:
    """Return the mailbox of ``a@example.org`` or ``Name <a@example.org>``; raise ValueError."""
    match = _MAILBOX.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no mail address: write a@example.org or Name <a@example.org>")
    return Mailbox(match["in"] or match["bare"], (match["name"] or "").strip(' "'))


def message_id(report: Report, domain: str) -> str:
    """Return the id of a report's mail, the same in every try: receivers may drop repeats by it."""
    return _id(f"report {report.key}", domain)


def compose(
    report: Report,
    words: Words,
    sender: Mailbox,
    to: Sequence[Mailbox],
    *,
    prefix: str,
    attach: int,
    now: datetime,
) -> bytes:
    """Return the mail as it goes over the wire, its headers read back and compared."""
    subject = one_header_line(" ".join(filter(None, (prefix, words.subject))))
    for candidate in (subject, subject.encode("ascii", "replace").decode()[:_SAFE_LENGTH]):
        headers = _headers(report, sender, to, candidate, now)
        raw = _body(report, words, headers, attach).as_bytes()
        if _read_back(raw, headers):
            return raw
    raise AiopsError(
        f"email: the headers for report {report.key} cannot be written safely. Report this as a bug."
    )


def one_header_line(text: str) -> str:
    """Return cleaned text on one line that no mail program decodes into something else."""
    return " ".join(clean(text, keep_newlines=False).split()).replace("=?", "= ?")


def _headers(
    report: Report, sender: Mailbox, to: Sequence[Mailbox], subject: str, now: datetime
) -> dict[str, str]:
    headers = {
        "From": _written(sender),
        "To": ", ".join(map(_written, to)),
        "Subject": subject,
        "Date": format_datetime(report.created_at or now),
        "Message-ID": message_id(report, sender.domain),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if report.incident is not None:
        thread = _id(f"incident {report.pipeline} {report.incident.fingerprint}", sender.domain)
        headers |= {"In-Reply-To": thread, "References": thread}
    return headers


def _body(report: Report, words: Words, headers: dict[str, str], attach: int) -> EmailMessage:
    message = EmailMessage(policy=_POLICY)
    for name, value in headers.items():
        message[name] = value
    message.set_content(words.text)
    message.add_alternative(words.html, subtype="html")
    for filename, text in _attachments(report, attach):
        message.add_attachment(text, filename=filename)
    return message


def _attachments(report: Report, limit: int) -> list[tuple[str, str]]:
    """Return the block and the tail of the log round it, each cut to the limit; nothing when 0."""
    events = report.incident.events if report.incident is not None else ()
    if not events or not limit:
        return []
    around = "\n".join(map(_surroundings, events))
    files = [("error.txt", events[0].block, False), ("log-tail.txt", around, True)]
    return [(name, _cut(clean(text), limit, is_tail)) for name, text, is_tail in files if text.strip()]


def _surroundings(event: Event) -> str:
    return "\n".join([*event.context_before, event.block, *event.context_after])


def _cut(text: str, limit: int, is_tail: bool) -> str:
    data = text.encode()
    if len(data) <= limit:
        return text
    note = f"[… {len(data) - limit} bytes left out …]"
    head = 0 if is_tail else limit // 2
    parts = (
        data[:head].decode(errors="ignore"),
        note,
        data[len(data) - limit + head :].decode(errors="ignore"),
    )
    return "\n".join(filter(None, parts))


def _read_back(raw: bytes, headers: dict[str, str]) -> bool:
    """Tell whether a receiver reads exactly these headers, no more and no other values.

    CPython 3.11.7 turns an encoded word with a line end in it into a header of its own.
    """
    read = BytesParser(policy=policy.default).parsebytes(raw)
    ours = [name for name in read if not name.startswith(("MIME-Version", "Content-"))]
    return ours == list(headers) and all(str(read[name]) == value for name, value in headers.items())


def _written(mailbox: Mailbox) -> str:
    return str(Address(one_header_line(mailbox.name), addr_spec=mailbox.address))


def _id(text: str, domain: str) -> str:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"<{digest}@{domain}>"
