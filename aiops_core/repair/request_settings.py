"""What every forge action is configured with."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, SecretStr

from aiops_core.config import Config, Duration


class ReviewConfig(Config):
    """How comments on a request are answered."""

    answer: Literal["all", "addressed", "none"] = "all"
    """Whose wishes are acted on, of people who may push: those in ``all`` comments, in comments with a line
    that starts with /aiops, or ``none``."""
    every: Duration = Field(default=timedelta(minutes=1), ge=timedelta(seconds=5))
    """How often the forge is asked for new comments, at least every five seconds apart."""
    quiet: Duration = timedelta(minutes=1)
    """A round begins when nobody has written anything new for so long: one review is answered as a whole."""
    rounds: int = Field(default=5, ge=0)
    """Most rounds of changes on one request."""
    rounds_per_hour: int = Field(default=3, ge=1)
    """Most rounds of changes on one request within an hour; more wait."""
    webhook_secret: SecretStr | None = None
    """Secret the forge's webhook was set up with; without it no webhook is accepted, and comments are polled."""


class RequestConfig(Config):
    """How requests are opened, on every forge."""

    draft: bool = True
    """Open the request as a draft; a fix that no test proves is a draft in any case."""
    labels: list[str] = Field(default=[])
    """Labels put on the request; those that do not exist yet are made."""
    reviewers: list[str] = Field(default=[])
    """Who is asked for a review, by login name."""
    find_reviewers: bool = True
    """Where reviewers is empty, ask whom CODEOWNERS names, else who last changed the lines."""
    token: SecretStr | None = None
    """Access token for the push and the API; repository.token when not given."""
    timeout: Duration = Field(default=timedelta(seconds=30), ge=timedelta(seconds=1))
    """Longest time to wait for one answer of the API, at least one second."""
    review: ReviewConfig = ReviewConfig()
    """How comments on a request are answered."""
