"""Finds the errors of the billing log."""

from pydantic import Field

from aiops_core import Block, Config, Event, LogDetector


class BillingConfig(Config):
    """Which errors count."""

    harmless: list[int] = Field(default_factory=list)
    """Numbers of errors that are nobody's problem."""
    critical: list[int] = Field(default_factory=list)
    """Numbers of errors that are critical."""


class BillingErrors(LogDetector[BillingConfig]):
    """Errors of the billing log: `!!E<number> <text>`, then indented detail lines."""

    triggers = (r"^!!E\d+ ",)
    continues = r"^ {2}\w+: "

    def detect(self, block: Block) -> Event | None:
        """Return the error, None when it is harmless."""
        code, _, text = block.first_line.removeprefix("!!").partition(" ")
        number = int(code.removeprefix("E"))
        if number in self.config.harmless:
            return None
        return Event(
            type=code, message=text, severity="critical" if number in self.config.critical else "error"
        )
