"""The action every forge shares: one incident, one branch, one request for review."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import ClassVar, Generic

from pydantic import SecretStr
from typing_extensions import TypeVar

from aiops_core.component import Action
from aiops_core.errors import AiopsError, Refused, Retry, UserError
from aiops_core.records import Analysis, Change, Incident, Outcome, Plan, StopLevel
from aiops_core.repair.conversation import Hearing, Memory, find_marked_comment, hear, notice_mark, say
from aiops_core.repair.forge import Forge, Request
from aiops_core.repair.order import UNVERIFIED, Order, write_order
from aiops_core.repair.owners import Dialect
from aiops_core.repair.publish import BRANCH_PREFIX, publish
from aiops_core.repair.refusals import ForgeWords, Rejected
from aiops_core.repair.request_settings import RequestConfig
from aiops_core.repair.request_text import as_proven, is_as_written
from aiops_core.repair.review_text import NOT_PUSHED
from aiops_core.repair.review_words import review_words
from aiops_core.repair.reviewers import find_reviewers
from aiops_core.repair.webhooks import Knock
from aiops_core.repository import GitError, open_mirror
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

    def plan(self, incident: Incident, analysis: Analysis, change: Change | None) -> Plan | None:
        """Say which branch and request the fix becomes; None without a fix."""
        if change is None:
            return None
        order = write_order(
            self.place,
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
        if order.repository != self.place:
            return _unsuited(order, self.place)
        try:
            with self._forge() as forge:
                return self._revise(forge, order) if order.change.onto else self._propose(forge, order)
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
            request = forge.look(outcome.data["number"])
        if request.state == "open":
            return None
        return self._outcome(request, "merged" if request.state == "merged" else "closed without merging")

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

    def _propose(self, forge: Forge, order: Order) -> Outcome:
        found = forge.find_request(order.branch) or forge.find_marked(order.fingerprint)
        if found is not None and found.state == "closed":
            return self._outcome(
                found, "closed without merging, and closed means no. Reopen it to go on with this incident"
            )
        if found is not None and found.state == "open":
            return self._renew(forge, order, found)
        commit = self._push(forge, order, order.branch)
        request = self._open(forge, order, found, commit)
        notes = self._dress(forge, order, request) if request.state == "open" else []
        return self._outcome(request, ". ".join([_word(request), *notes]))

    def _revise(self, forge: Forge, order: Order) -> Outcome:
        """Push what reviewers asked for onto the branch of an open request; who follows it goes on doing so."""
        found = forge.find_request(order.branch)
        if found is None or found.state != "open":
            state = "gone" if found is None else found.state
            return Outcome(
                "refused", f"{order.branch}: its {self.words.request} is {state}, so nothing was pushed"
            )
        commit = self._push(forge, order, found.branch)
        is_proven, notes = self._lift(forge, order, found)
        if is_proven and (body := as_proven(found.title, found.body)):
            forge.edit_request(found.number, found.title, body)
        outcome = self._outcome(found, ". ".join(["changed as asked in review", *notes]), commit)
        return replace(outcome, final=True, data={**outcome.data, "proven": is_proven})

    def _push(self, forge: Forge, order: Order, branch: str) -> str:
        """Return the commit the branch holds, pushed now or before."""
        with self.context.step("push", order.key) as effect:
            if effect.result is None:
                published = publish(
                    order.change,
                    branch=branch,
                    message=order.message,
                    repository=self.repository.model_copy(update={"token": forge.token}),
                    mirrors=self.context.mirrors,
                    scratch=self.context.scratch,
                )
                effect.result = {"commit": published.commit}
            return str(effect.result["commit"])

    def _open(self, forge: Forge, order: Order, merged: Request | None, commit: str) -> Request:
        """Open the request; ``merged`` is ours too when somebody merged this very commit meanwhile."""
        with self.context.step("request", order.key) as effect:
            if effect.result is not None:
                return forge.look(effect.result["number"])
            request = merged if merged is not None and merged.commit == commit else None
            request = request or forge.open_request(
                order.branch, order.base, order.title, order.body, draft=order.draft
            )
            effect.result = {"number": request.number}
        return request

    def _renew(self, forge: Forge, order: Order, found: Request) -> Outcome:
        """Bring an open request for the incident up to date, as far as it is ours to change."""
        is_opened_now = self._recognise(order, found)
        if not found.branch.startswith(BRANCH_PREFIX):
            return self._outcome(found, "open already for this incident and left as it is")
        try:
            commit = self._push(forge, order, found.branch)
        except Refused as error:
            if error.rule != "branch-exists":
                raise
            return self._left_alone(forge, order, found)
        notes = [_word(found) if is_opened_now else _renewed(found, commit)]
        notes += self._rewrite(forge, order, found)
        notes += self._lift(forge, order, found)[1]
        notes += self._dress(forge, order, found) if is_opened_now else []
        return self._outcome(found, ". ".join(notes), commit)

    def _recognise(self, order: Order, found: Request) -> bool:
        """Say whether the open request is the work of this very order, before a crash."""
        with self.context.step("request", order.key) as effect:
            is_ours = effect.is_uncertain or effect.result is not None
            effect.result = {"number": found.number}
        return is_ours

    def _left_alone(self, forge: Forge, order: Order, found: Request) -> Outcome:
        """Leave a branch that people committed to, and say so there once."""
        with self.context.step("comment", order.key) as effect:
            if effect.result is None and not effect.is_uncertain:
                said = review_words(self.context.language)(NOT_PUSHED)
                forge.comment(found.number, f"{notice_mark('not-pushed')}\n\n{said}")
            effect.result = True
        return self._outcome(found, "others have committed to its branch, so it was left as it is")

    def _rewrite(self, forge: Forge, order: Order, found: Request) -> list[str]:
        """Renew title and text, unless people changed them; return what is worth saying of it."""
        if (found.title, found.body.split()) == (order.title, order.body.split()):
            return []
        if not is_as_written(found.title, found.body):
            return ["its text was changed by people and stays"]
        forge.edit_request(found.number, order.title, order.body)
        return []

    def _lift(self, forge: Forge, order: Order, found: Request) -> tuple[bool, list[str]]:
        """Take off a request what marked its fix as unproven, once it is proven; return what to say of it."""
        if not order.change.reproduced_by or UNVERIFIED not in found.labels:
            return False, []
        note = self._extra("mark of an unverified fix", order, partial(self._unmark, forge, order, found))
        return not note, [note or "proven by a test now"]

    def _unmark(self, forge: Forge, order: Order, found: Request) -> None:
        if found.is_draft and not order.draft:
            forge.make_ready(found.number)
        forge.remove_label(found.number, UNVERIFIED)  # last: a try that broke off is begun again by it

    def _dress(self, forge: Forge, order: Order, request: Request) -> list[str]:
        """Add labels and reviewers; return what could not be done, for the request stands without."""
        notes = []
        if order.labels:
            add = partial(forge.add_labels, request.number, order.labels)
            notes.append(self._extra("labels", order, add))
        if order.reviewers or order.find_reviewers:
            notes.append(self._extra("reviewers", order, partial(self._ask, forge, order, request)))
        return [note for note in notes if note]

    def _ask(self, forge: Forge, order: Order, request: Request) -> None:
        reviewers: Sequence[str] = order.reviewers
        if not reviewers:
            repository = self.repository.model_copy(update={"token": forge.token})
            mirror = open_mirror(repository, self.context.mirrors)
            reviewers = find_reviewers(order.change, mirror, forge, self.dialect)
        if reviewers:
            forge.ask_reviewers(request.number, reviewers)

    def _extra(self, name: str, order: Order, add: Callable[[], None]) -> str:
        try:
            with self.context.step(name, order.key) as effect:
                if effect.result is None:
                    add()
                    effect.result = True
        except (Rejected, Retry, GitError) as error:
            self.context.logger.warning("%s not set: %s", name, error)
            return f"{name} not set: {error}".rstrip(".")
        return ""

    def _outcome(self, request: Request, what: str, commit: str = "") -> Outcome:
        data = {
            "number": request.number,
            "branch": request.branch,
            "commit": commit or request.commit,
            "state": request.state,
            **({"merge_commit": request.merge_commit} if request.merge_commit else {}),
        }
        return Outcome(
            "refused" if request.state == "closed" else "done",
            f"{self.words.request} {self.words.sign}{request.number}: {what}.",
            request.url,
            data,
            final=request.state != "open",
        )


def _unsuited(order: Order, place: str) -> Outcome:
    return Outcome(
        "refused",
        f"repository.url: the plan is for {order.repository}, the pipeline's repository is now {place}. "
        "Retry the incident for a new plan.",
    )


def _word(request: Request) -> str:
    if request.state == "merged":
        return "merged"
    return "opened as a draft" if request.is_draft else "opened"


def _renewed(found: Request, commit: str) -> str:
    if found.commit == commit:
        return "open already for this incident, with this very fix"
    return "open already for this incident, and brought up to date"
