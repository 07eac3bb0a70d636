"""The action: one incident, one branch, one pull request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, SecretStr

from aiops_action_github.address import Address, parse_address
from aiops_action_github.order import Order, write_order
from aiops_action_github.troubles import Rejected
from aiops_core import (
    Action,
    Analysis,
    Change,
    Config,
    Duration,
    Incident,
    Outcome,
    Plan,
    Refused,
    Repository,
    Retry,
    StopLevel,
    UserError,
)
from aiops_core.repair import GitError, publish

if TYPE_CHECKING:
    from aiops_action_github.forge import GithubForge, PullState

_PUSH_WAIT = 30.0


class GithubPullRequestConfig(Config):
    """How pull requests are opened on GitHub."""

    draft: bool = True
    """Open the request as a draft; a fix that no test has seen is a draft in any case."""
    labels: list[str] = Field(default_factory=list)
    """Labels put on the request; GitHub makes those that do not exist yet."""
    reviewers: list[str] = Field(default_factory=list)
    """Who is asked for a review: login names, and teams written as organisation/team."""
    token: SecretStr | None = None
    """Access token for the push and the API; repository.token when not given."""
    api_url: str = ""
    """Address of the API; found from repository.url when empty (github.com, *.ghe.com, HOST/api/v3)."""
    timeout: Duration = Field(default=timedelta(seconds=30), ge=timedelta(seconds=1))
    """Longest time to wait for one answer of the API, at least one second."""


class GithubPullRequest(Action[GithubPullRequestConfig]):
    """Push a verified fix to a branch and open a pull request for it on GitHub."""

    reaches: ClassVar[StopLevel] = "draft"

    def start(self) -> None:
        """Refuse settings that cannot work: no repository, not on GitHub, no token."""
        _ = self._address, self._repository

    def plan(self, incident: Incident, analysis: Analysis, change: Change | None) -> Plan | None:
        """Say which branch and request the fix becomes; None without a fix."""
        if change is None:
            return None
        order = write_order(
            self._address.slug,
            incident,
            analysis,
            change,
            draft=self.config.draft,
            labels=self.config.labels,
            reviewers=self.config.reviewers,
        )
        return order.plan()

    def act(self, plan: Plan) -> Outcome:
        """Push the branch and open the request, unless one is there already."""
        order = Order.read(plan.data)
        if order.repository != self._address.slug:
            return _unsuited(order, self._address)
        try:
            with self._forge() as forge:
                return self._propose(forge, order)
        except Refused as error:
            return Outcome("refused", str(error), data={"branch": order.branch})
        except Rejected as error:
            return Outcome(error.status, str(error), data={"branch": order.branch})
        except GitError as error:
            if error.is_transient:
                raise Retry(str(error), after=_PUSH_WAIT) from None
            return Outcome("failed", str(error), data={"branch": order.branch})

    def follow(self, outcome: Outcome) -> Outcome | None:
        """Report that the request was merged or closed; None while it is open."""
        with self._forge() as forge:
            pull = forge.look(outcome.data["number"])
        if pull.state == "open":
            return None
        return _outcome(pull, _word(pull) if pull.state == "merged" else "closed without merging")

    def _propose(self, forge: GithubForge, order: Order) -> Outcome:
        found = forge.find_request(order.branch) or forge.find_marked(order.fingerprint)
        if found is not None and found.state == "closed":
            return _outcome(
                found, "closed without merging, and closed means no. Reopen it to go on with this incident"
            )
        if found is not None and found.state == "open":
            pull, is_ours = found, self._recognise(order, found)
        else:
            pull, is_ours = self._open(forge, order, found, self._push(order)), True
        if not is_ours:
            return _outcome(pull, "open already for this incident and left as it is")
        notes = self._dress(forge, order, pull) if pull.state == "open" else []
        return _outcome(pull, ". ".join([_word(pull), *notes]))

    def _recognise(self, order: Order, found: PullState) -> bool:
        """Say whether the open request is the work of this very order, before a crash."""
        with self.context.step("pull-request", order.key) as effect:
            is_ours = effect.is_uncertain or effect.result is not None
            effect.result = {"number": found.number}
        return is_ours

    def _push(self, order: Order) -> str:
        """Return the commit the branch holds, pushed now or before."""
        with self.context.step("push", order.key) as effect:
            if effect.result is None:
                published = publish(
                    order.change,
                    branch=order.branch,
                    message=order.message,
                    repository=self._repository,
                    scratch=self.context.scratch,
                )
                effect.result = {"commit": published.commit}
            return str(effect.result["commit"])

    def _open(self, forge: GithubForge, order: Order, merged: PullState | None, commit: str) -> PullState:
        """Open the request; ``merged`` is ours too when somebody merged this very commit meanwhile."""
        with self.context.step("pull-request", order.key) as effect:
            if effect.result is not None:
                return forge.look(effect.result["number"])
            pull = merged if merged is not None and merged.commit == commit else None
            pull = pull or forge.open_request(
                order.branch, order.base, order.title, order.body, draft=order.draft
            )
            effect.result = {"number": pull.number}
        return pull

    def _dress(self, forge: GithubForge, order: Order, pull: PullState) -> list[str]:
        """Add labels and reviewers; return what could not be done, for the request stands without."""
        notes = []
        if order.labels:
            notes.append(self._extra("labels", order, lambda: forge.add_labels(pull.number, order.labels)))
        if order.reviewers:
            ask = partial(forge.ask_reviewers, pull.number, order.reviewers)
            notes.append(self._extra("reviewers", order, ask))
        return [note for note in notes if note]

    def _extra(self, name: str, order: Order, add: Callable[[], None]) -> str:
        try:
            with self.context.step(name, order.key) as effect:
                if effect.result is None:
                    add()
                    effect.result = True
        except (Rejected, Retry) as error:
            self.context.logger.warning("%s not set: %s", name, error)
            return f"{name} not set: {error}".rstrip(".")
        return ""

    @contextmanager
    def _forge(self) -> Iterator[GithubForge]:
        from aiops_action_github.forge import GithubForge

        token = self._repository.token
        timeout = int(self.config.timeout.total_seconds())
        forge = GithubForge(self._address, token or SecretStr(""), timeout=timeout)
        try:
            yield forge
        finally:
            forge.close()

    @property
    def _address(self) -> Address:
        return parse_address(self._repository.url, self.config.api_url)

    @property
    def _repository(self) -> Repository:
        """The pipeline's repository, with the token this action uses."""
        repository = self.context.repository
        if repository is None:
            raise UserError(
                "repository: github_pull_request needs one. "
                "Write repository: {url: https://github.com/OWNER/NAME.git, token: ...} into the pipeline."
            )
        token = self.config.token or repository.token
        if token is None or not token.get_secret_value():
            raise UserError(
                "repository.token: github_pull_request needs one. "
                "Write token: ${env:GITHUB_TOKEN} and set that variable."
            )
        return repository.model_copy(update={"token": token})


def _unsuited(order: Order, address: Address) -> Outcome:
    return Outcome(
        "refused",
        f"repository.url: the plan is for {order.repository}, the pipeline's repository is now "
        f"{address.slug}. Retry the incident for a new plan.",
    )


def _word(pull: PullState) -> str:
    if pull.state == "merged":
        return "merged"
    return "opened as a draft" if pull.is_draft else "opened"


def _outcome(pull: PullState, what: str) -> Outcome:
    data = {
        "number": pull.number,
        "branch": pull.branch,
        "commit": pull.commit,
        "state": pull.state,
        **({"merge_commit": pull.merge_commit} if pull.merge_commit else {}),
    }
    return Outcome(
        "refused" if pull.state == "closed" else "done",
        f"pull request #{pull.number}: {what}.",
        pull.url,
        data,
        final=pull.state != "open",
    )
