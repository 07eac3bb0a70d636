"""The notifier: settings, standard output and the HTML files."""

from __future__ import annotations

import hashlib
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from aiops_core import Config, Notifier, Receipt, RecipientResult, Report, Retry, UserError, render_html

if TYPE_CHECKING:
    from rich.console import Console

_LONGEST_NAME = 60


class ConsoleConfig(Config):
    """How reports are shown."""

    verbosity: Literal["brief", "normal", "full"] = "normal"
    """`brief` prints one line a report, `normal` what was found and done, `full` the log and all else too."""
    html_directory: str = ""
    """Directory that gets each report as an HTML file, mode 0600; relative to the pipeline file. Empty: none."""


class ConsoleNotifier(Notifier[ConsoleConfig]):
    """Print each report on standard output; keep it as an HTML file where a directory is named."""

    def start(self) -> None:
        """Make the directory for HTML files; raise UserError when that fails."""
        if not self.config.html_directory:
            return
        try:
            self._directory().mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"html_directory: {self._directory()}: {error.strerror}. Name a directory this user may write."
            ) from None

    def notify(self, report: Report) -> Receipt:
        """Print the report; a file that cannot be written is told in the receipt, not tried again."""
        kept = self._keep(report) if self.config.html_directory else ()
        self._print(report, [result.recipient for result in kept if result.accepted])
        ids = (report.key, *(result.recipient for result in kept if result.accepted))
        return Receipt(ids=ids, recipients=(RecipientResult("stdout", accepted=True), *kept))

    def _keep(self, report: Report) -> tuple[RecipientResult]:
        path = self._directory() / file_name(report)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_whole(path, render_html(report))
        except OSError as error:
            reason = error.strerror or str(error)
            self.context.logger.warning("html_directory: %s was not written: %s", path, reason)
            return (RecipientResult(str(path), accepted=False, detail=reason),)
        return (RecipientResult(str(path), accepted=True),)

    def _print(self, report: Report, files: list[str]) -> None:
        from rich.console import Console
        from rich.text import Text

        from aiops_notifier_console.drawing import draw

        if sys.stdout is None or sys.stdout.closed:
            raise Retry("console: standard output is closed.")
        console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
        with console.capture() as capture:
            is_brief = self.config.verbosity == "brief"
            console.print(draw(report, self.config.verbosity, console), soft_wrap=is_brief)
            for file in () if is_brief else files:
                console.print(Text(f"HTML: {file}", style="dim"), soft_wrap=True)
        try:
            sys.stdout.write(_encodable(capture.get(), console))
            sys.stdout.flush()
        except OSError as error:
            raise Retry(f"console: standard output cannot be written ({error.strerror}).") from error

    def _directory(self) -> Path:
        return self.context.directory / self.config.html_directory


def file_name(report: Report) -> str:
    """Return the name of a report's HTML file: sorted by time, the same in every try."""
    time = f"{report.created_at:%Y%m%d-%H%M%S}-" if report.created_at else ""
    title = re.sub(r"[^a-z0-9]+", "-", f"{report.pipeline} {report.title}".lower()).strip("-")
    digest = hashlib.blake2b(report.key.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{time}{title[:_LONGEST_NAME].strip('-') or report.kind}-{digest}.html"


def _write_whole(path: Path, text: str) -> None:
    """Write all or nothing, readable by its owner only."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=".", suffix=".part", delete=False
    ) as file:
        part = Path(file.name)
        try:
            file.write(text)
            file.flush()
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def _encodable(text: str, console: Console) -> str:
    return text.encode(console.encoding, "replace").decode(console.encoding)
