"""The notifier: settings, a deadline Apprise does not have, and who was told when it is tried again."""

from __future__ import annotations

import socket
import threading
from collections import OrderedDict
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, SecretStr

from aiops_core import (
    Config,
    Context,
    Duration,
    Notifier,
    Receipt,
    RecipientResult,
    Report,
    ReportOutline,
    ReportSection,
    Retry,
    fit_sections,
    outline_brief,
    plain_lines,
    render_subject,
    shorten,
    widen_markup,
)

if TYPE_CHECKING:
    from apprise import NotifyBase

_TYPES = {"critical": "failure", "error": "failure", "warning": "warning", "info": "info"}
_REMEMBERED = 500
_LONGEST = 8_000
_PROBE = 10.0


class AppriseConfig(Config):
    """Which services tell people."""

    urls: list[SecretStr] = Field(min_length=1)
    """Addresses in Apprise's form, as in `tgram://${env:TELEGRAM_TOKEN}/CHAT`; each holds a secret."""
    prefix: str = Field(default="", max_length=100)
    """Words before every title, as in `[staging]`."""
    timeout: Duration = timedelta(seconds=30)
    """Longest time one delivery to one service may take."""


class AppriseNotifier(Notifier[AppriseConfig]):
    """Tell people through the services Apprise knows, mail excepted: for those without a notifier here."""

    attempts: ClassVar[int] = 10
    retry_after: ClassVar[float] = 60.0

    def __init__(self, config: AppriseConfig | None = None, context: Context | None = None) -> None:
        super().__init__(config, context)
        self._told: OrderedDict[tuple[str, int], None] = OrderedDict()
        self._running: dict[int, threading.Thread] = {}
        self._lock = threading.Lock()

    def check(self) -> None:
        self.start()

    def start(self) -> None:
        """Understand every address; raise UserError for one that may not be used."""
        _ = self._services

    def probe(self) -> str:
        """Understand every address, and connect where one names a host; no service is told anything."""
        for place, service in enumerate(self._services):
            host = str(getattr(service, "host", "") or "")
            if not host:
                continue
            port = int(getattr(service, "port", 0) or (443 if getattr(service, "secure", False) else 80))
            try:
                socket.create_connection((host, port), timeout=_PROBE).close()
            except OSError as error:
                why = error.strerror or str(error)
                raise Retry(
                    f"apprise: {self._place(place)}: {host}:{port} cannot be reached: {why}."
                ) from None
        names = ", ".join(map(self._place, range(len(self._services))))
        return f"{names}: understood; whether a message would be taken was not asked"

    def notify(self, report: Report) -> Receipt:
        """Tell every service an earlier try did not reach; raise Retry when one was not."""
        silent = [place for place in range(len(self._services)) if not self._is_told(report, place)]
        results = tuple(
            RecipientResult(self._place(place), accepted=True)
            for place in range(len(self._services))
            if place not in silent
        )
        if silent:
            names = ", ".join(map(self._place, silent))
            raise Retry(
                f"apprise: {names}: the message was not taken. Apprise does not say why.", served=results
            )
        return Receipt(ids=(report.key,), recipients=results)

    def _is_told(self, report: Report, place: int) -> bool:
        with self._lock:
            if (report.key, place) in self._told or self._place(place) in self.context.served:
                return True
            if place in self._running and self._running[place].is_alive():
                return False  # it still waits for an earlier message: do not pile up
            thread = threading.Thread(target=self._tell, args=(report, place), daemon=True)
            self._running[place] = thread
        thread.start()
        thread.join(self.config.timeout.total_seconds())
        with self._lock:
            return (report.key, place) in self._told

    def _tell(self, report: Report, place: int) -> None:
        from apprise import NotifyFormat, NotifyType

        service = self._services[place]
        title, body = words(report, self.config.prefix, service.title_maxlen, service.body_maxlen)
        taken = service.notify(
            body=body,
            title=title,
            notify_type=NotifyType(_TYPES[report.severity]),
            body_format=NotifyFormat.TEXT,
        )
        if taken:
            with self._lock:
                self._told[report.key, place] = None
                while len(self._told) > _REMEMBERED:
                    self._told.popitem(last=False)

    def _place(self, place: int) -> str:
        return f"urls[{place}] ({self._services[place].service_name})"

    @cached_property
    def _services(self) -> list[NotifyBase]:
        from aiops_notifier_apprise.services import service_of

        timeout = self.config.timeout.total_seconds()
        return [
            service_of(f"urls[{place}]", url.get_secret_value(), timeout)
            for place, url in enumerate(self.config.urls)
        ]


def words(report: Report, prefix: str, longest_title: int, longest_body: int) -> tuple[str, str]:
    """Return title and body without markup, no longer than the service takes."""
    outline = outline_brief(report)
    subject = widen_markup(" ".join(filter(None, (prefix, render_subject(report)))))
    head = "" if longest_title else f"{subject}\n"
    room = min(longest_body, _LONGEST) - len(head) - len(_ends(outline)) - 4
    sections = fit_sections(outline.sections, lambda each: len(_text(each)) + 2, max(room, 0))
    body = "\n\n".join([_ends(outline), *map(_text, sections)])
    limit = min(longest_body, _LONGEST)
    title = shorten(subject, lambda text: len(text) <= longest_title) if longest_title else ""
    return title, shorten(head + body, lambda text: len(text) <= limit)


def _ends(outline: ReportOutline) -> str:
    return widen_markup(f"{' · '.join(outline.badges)}\n{outline.footer}")


def _text(section: ReportSection) -> str:
    (part,) = section.parts
    lines = plain_lines(part) if part.kind == "link" else [widen_markup(line) for line in plain_lines(part)]
    return "\n".join([*([f"{section.title}:"] if section.title else []), *lines])
