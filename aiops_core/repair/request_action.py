"""The action every forge shares: one incident, one branch, one request for review."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar, Generic

from pydantic import SecretStr
from typing_extensions import TypeVar

from aiops_core.component import Action
from aiops_core.errors import AiopsError, Refused, Retry, UserError
from aiops_core.records import Analysis, Change, Incident, Outcome, Plan, StopLevel
from aiops_core.repair.conversation import Hearing, Memory, find_marked_comment, hear, say
from aiops_core.repair.errand import Errand, outcome_of
from aiops_core.repair.forge import Forge
from aiops_core.repair.order import Order, write_order
from aiops_core.repair.owners import Dialect
from aiops_core.repair.publishing import BRANCH_PREFIX, remote_address
from aiops_core.repair.refusals import ForgeWords, Rejected
from aiops_core.repair.request_settings import RequestConfig
from aiops_core.repair.webhooks import Knock
from aiops_core.repository import GitError
from aiops_core.settings import Repository

_PUSH_WAIT = 30.0
NO_LONGER_SEEN = "no-longer-seen"
"""What a request is told and labelled whose error stays away while it is open."""


C = TypeVar("C", bound=RequestConfig, default=RequestConfig)


class RequestAction(Action[C], Generic[C]):
    """Push a verified fix to a branch and ask for its review.

    A forge says how it is spoken of, which repository is meant and how it is reached; what is
    done, in which order and after which crash, is the same for all.
    """

    reaches: ClassVar[StopLevel] = "draft"
    is_isolable: ClassVar[bool] = False
    words: ClassVar[ForgeWords]
    dialect: ClassVar[Dialect]
    """How the forge reads CODEOWNERS."""

    @property
    @abstractmethod
    def place(self) -> str:
        """The repository as the forge writes it; raise UserError for an address that is none."""

    @abstractmethod
    def open_forge(self, repository: Repository) -> Forge:
        """Return the forge, reached with the repository's token."""

    @property
    def has_credential(self) -> bool:
        """Whether there is something to prove who we are with."""
        return bool(self._token)

    def check(self) -> None:
        """Refuse settings that cannot work."""
        self.start()

    def start(self) -> None:
        """Refuse settings that cannot work: no repository, not on this forge, no credential."""
        _ = self.repository
        if not self.has_credential:
            raise UserError(
                f"repository.token: {self.words.component} needs one. "
                f"Write token: ${{env:{self.words.variable}}} and set that variable."
            )
        _ = self.place

    def problem(self) -> str | None:
        """Ask the forge what the token may do; that it may more than is needed is logged only."""
        try:
            with self._forge() as forge:
                grants = forge.grants()
        except AiopsError as error:
            return str(error).rstrip(".")
        if grants.needless:
            self.context.logger.warning(
                "%s: the token may do more than is needed: %s. Take one of %s, and nothing else",
                self.place, ", ".join(grants.needless), self.words.access,
            )  # fmt: skip
        if grants.missing:
            return (
                f"{self.place}: the token lacks {' and '.join(grants.missing)}. Give it {self.words.access}"
            )
        return None

    def probe(self) -> str:
        """Ask the forge what the token may do."""
        super().probe()
        return f"{self.place}: reached, the token may do what is needed"

    def plan(self, incident: Incident, analysis: Analysis, change: Change | None) -> Plan | None:
        """Say which branch and request the fix becomes; None without a fix."""
        if change is None:
            return None
        order = write_order(
            self.place,
            remote_address(self.repository),
            incident,
            analysis,
            change,
            draft=self.config.draft,
            labels=self.config.labels,
            reviewers=self.config.reviewers,
            find_reviewers=self.config.find_reviewers,
            is_heard=self.config.review.answer != "none",
        )
        return order.plan(self.words)

    @abstractmethod
    def knock(self, headers: Mapping[str, str], body: bytes, secret: str) -> Knock | None:
        """Return what a webhook says, None unless the forge itself sent it; header names in lower case.

        Nothing is parsed before that is certain.
        """

    def listens_to(self, outcome: Outcome) -> bool:
        """Return whether people's comments on what the action opened are acted on: on our own branch alone."""
        is_ours = str(outcome.data.get("branch", "")).startswith(BRANCH_PREFIX)
        return self.config.review.answer != "none" and is_ours and not outcome.final

    def hear(self, number: int, memory: Memory) -> Hearing:
        """Return what is new on a request, its authors' rights asked for right now."""
        with self._forge() as forge:
            return hear(forge, number, memory, only_addressed=self.config.review.answer == "addressed")

    def say(self, number: int, thread: str, mark: str, text: str) -> str:
        """Write a comment with a hidden mark, once; return its id."""
        with self.context.step("say", f"{self.place} {number} {mark}") as effect:
            if effect.result is None:
                with self._forge() as forge:
                    found = find_marked_comment(forge, number, mark) if effect.is_uncertain else ""
                    effect.result = found or say(forge, number, thread, f"{mark}\n\n{text}")
            return str(effect.result)

    def act(self, plan: Plan) -> Outcome:
        """Push the branch and open the request, or bring up to date what is there already."""
        order = Order.read(plan.data)
        if (order.repository, order.address) != (self.place, remote_address(self.repository)):
            return _unsuited(order, self.place, remote_address(self.repository))
        try:
            with self._forge() as forge:
                errand = Errand(forge, order, self.repository, self.context, self.words, self.dialect)
                return errand.revise() if order.change.onto else errand.propose()
        except Refused as error:
            return Outcome("refused", str(error), data={"branch": order.branch, "rule": error.rule})
        except Rejected as error:
            return Outcome(error.status, str(error), data={"branch": order.branch})
        except GitError as error:
            if error.is_transient:
                raise Retry(str(error), after=_PUSH_WAIT) from None
            return Outcome("failed", str(error), data={"branch": order.branch})

    def follow(self, outcome: Outcome) -> Outcome | None:
        """Report that the request was merged or closed; None while it is open."""
        with self._forge() as forge:
            request = forge.look(outcome.data["number"])
        if request.state == "open":
            return None
        return outcome_of(
            self.words, request, "merged" if request.state == "merged" else "closed without merging"
        )

    def remark(self, outcome: Outcome, about: str, text: str) -> None:
        """Comment on the request, once about each thing; one whose error stays away is labelled so."""
        number = outcome.data["number"]
        with self._forge() as forge, self.context.step("remark", f"{number} {about}") as effect:
            if effect.result is None and not (
                effect.is_uncertain and any(said.text == text for said in forge.comments(number))
            ):
                forge.comment(number, text)
            if effect.result is None and about == NO_LONGER_SEEN:
                forge.add_labels(number, [NO_LONGER_SEEN])
            effect.result = True

    @property
    def repository(self) -> Repository:
        """The pipeline's repository, with the token this action uses."""
        repository = self.context.repository
        if repository is None:
            raise UserError(
                f"repository: {self.words.component} needs one. "
                f"Write repository: {{url: {self.words.example}, token: ...}} into the pipeline."
            )
        token = SecretStr(self._token) if self._token else None
        return repository.model_copy(update={"token": token})

    @property
    def _token(self) -> str:
        shared = self.context.repository.token if self.context.repository is not None else None
        token = self.config.token or shared
        return token.get_secret_value() if token is not None else ""

    @contextmanager
    def _forge(self) -> Iterator[Forge]:
        forge = self.open_forge(self.repository)
        try:
            yield forge
        finally:
            forge.close()


def _unsuited(order: Order, place: str, address: str) -> Outcome:
    was, now = (order.repository, place) if order.repository != place else (order.address, address)
    return Outcome(
        "refused",
        f"repository.url: the plan is for {was}, the pipeline's repository is now {now}. "
        "Retry the incident for a new plan.",
    )
