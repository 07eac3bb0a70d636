"""One order carried out on a forge: whatever is there already, and wherever an earlier try broke off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from aiops_core.context import Context
from aiops_core.errors import Refused, Retry
from aiops_core.records import Outcome
from aiops_core.repair.conversation import notice_mark
from aiops_core.repair.forge import Forge, Request
from aiops_core.repair.order import UNVERIFIED, Order
from aiops_core.repair.owners import Dialect
from aiops_core.repair.publishing import BRANCH_PREFIX, publish
from aiops_core.repair.refusals import ForgeWords, Rejected
from aiops_core.repair.request_text import as_proven, is_as_written
from aiops_core.repair.review_language import review_words
from aiops_core.repair.review_text import NOT_PUSHED
from aiops_core.repair.reviewers import find_reviewers
from aiops_core.repository import GitError, open_mirror
from aiops_core.settings import Repository


class Errand(Struct, frozen=True):
    """Everything it takes to carry out one order."""

    forge: Forge
    order: Order
    repository: Repository
    context: Context
    words: ForgeWords
    dialect: Dialect

    def propose(self) -> Outcome:
        """Push the branch and open its request, or bring up to date what is there already."""
        found = self.forge.find_request(self.order.branch) or self.forge.find_marked(self.order.fingerprint)
        if found is not None and found.state == "closed":
            return outcome_of(
                self.words,
                found,
                "closed without merging, and closed means no. Reopen it to go on with this incident",
            )
        if found is not None and found.state == "open":
            return self._renew(found)
        commit = self._push(self.order.branch)
        request = self._open(found, commit)
        notes = self._dress(request) if request.state == "open" else []
        return outcome_of(self.words, request, ". ".join([_word(request), *notes]))

    def revise(self) -> Outcome:
        """Push what reviewers asked for onto the branch of an open request; who follows it goes on doing so."""
        found = self.forge.find_request(self.order.branch)
        if found is None or found.state != "open":
            state = "gone" if found is None else found.state
            return Outcome(
                "refused", f"{self.order.branch}: its {self.words.request} is {state}, so nothing was pushed"
            )
        commit = self._push(found.branch)
        is_proven, notes = self._lift(found)
        if is_proven and (body := as_proven(found.title, found.body)):
            self.forge.edit_request(found.number, found.title, body)
        outcome = outcome_of(self.words, found, ". ".join(["changed as asked in review", *notes]), commit)
        return replace(outcome, final=True, data={**outcome.data, "proven": is_proven})

    def _push(self, branch: str) -> str:
        """Return the commit the branch holds, pushed now or before."""
        with self.context.step("push", self.order.key) as effect:
            if effect.result is None:
                published = publish(
                    self.order.change,
                    branch=branch,
                    message=self.order.message,
                    repository=self.repository.model_copy(update={"token": self.forge.token}),
                    mirrors=self.context.mirrors,
                    scratch=self.context.scratch,
                )
                effect.result = {"commit": published.commit}
            return str(effect.result["commit"])

    def _open(self, merged: Request | None, commit: str) -> Request:
        """Open the request; ``merged`` is ours too when somebody merged this very commit meanwhile."""
        with self.context.step("request", self.order.key) as effect:
            if effect.result is not None:
                return self.forge.look(effect.result["number"])
            request = merged if merged is not None and merged.commit == commit else None
            request = request or self.forge.open_request(
                self.order.branch, self.order.base, self.order.title, self.order.body, draft=self.order.draft
            )
            effect.result = {"number": request.number}
        return request

    def _renew(self, found: Request) -> Outcome:
        """Bring an open request for the incident up to date, as far as it is ours to change."""
        is_opened_now = self._recognise(found)
        if not found.branch.startswith(BRANCH_PREFIX):
            return outcome_of(self.words, found, "open already for this incident and left as it is")
        try:
            commit = self._push(found.branch)
        except Refused as error:
            if error.rule != "branch-exists":
                raise
            return self._left_alone(found)
        notes = [_word(found) if is_opened_now else _renewed(found, commit)]
        notes += self._rewrite(found)
        notes += self._lift(found)[1]
        notes += self._dress(found) if is_opened_now else []
        return outcome_of(self.words, found, ". ".join(notes), commit)

    def _recognise(self, found: Request) -> bool:
        """Say whether the open request is the work of this very order, before a crash."""
        with self.context.step("request", self.order.key) as effect:
            is_ours = effect.is_uncertain or effect.result is not None
            effect.result = {"number": found.number}
        return is_ours

    def _left_alone(self, found: Request) -> Outcome:
        """Leave a branch that people committed to, and say so there once."""
        with self.context.step("comment", self.order.key) as effect:
            if effect.result is None and not effect.is_uncertain:
                said = review_words(self.context.language)(NOT_PUSHED)
                self.forge.comment(found.number, f"{notice_mark('not-pushed')}\n\n{said}")
            effect.result = True
        return outcome_of(self.words, found, "others have committed to its branch, so it was left as it is")

    def _rewrite(self, found: Request) -> list[str]:
        """Renew title and text, unless people changed them; return what is worth saying of it."""
        if (found.title, found.body.split()) == (self.order.title, self.order.body.split()):
            return []
        if not is_as_written(found.title, found.body):
            return ["its text was changed by people and stays"]
        self.forge.edit_request(found.number, self.order.title, self.order.body)
        return []

    def _lift(self, found: Request) -> tuple[bool, list[str]]:
        """Take off a request what marked its fix as unproven, once it is proven; return what to say of it."""
        if not self.order.change.reproduced_by or UNVERIFIED not in found.labels:
            return False, []
        note = self._extra("mark of an unverified fix", partial(self._unmark, found))
        return not note, [note or "proven by a test now"]

    def _unmark(self, found: Request) -> None:
        if found.is_draft and not self.order.draft:
            self.forge.make_ready(found.number)
        self.forge.remove_label(found.number, UNVERIFIED)  # last: a try that broke off is begun again by it

    def _dress(self, request: Request) -> list[str]:
        """Add labels and reviewers; return what could not be done, for the request stands without."""
        notes = []
        if self.order.labels:
            add = partial(self.forge.add_labels, request.number, self.order.labels)
            notes.append(self._extra("labels", add))
        if self.order.reviewers or self.order.find_reviewers:
            notes.append(self._extra("reviewers", partial(self._ask, request)))
        return [note for note in notes if note]

    def _ask(self, request: Request) -> None:
        reviewers: Sequence[str] = self.order.reviewers
        if not reviewers:
            repository = self.repository.model_copy(update={"token": self.forge.token})
            mirror = open_mirror(repository, self.context.mirrors)
            reviewers = find_reviewers(self.order.change, mirror, self.forge, self.dialect)
        if reviewers:
            self.forge.ask_reviewers(request.number, reviewers)

    def _extra(self, name: str, add: Callable[[], None]) -> str:
        try:
            with self.context.step(name, self.order.key) as effect:
                if effect.result is None:
                    add()
                    effect.result = True
        except (Rejected, Retry, GitError) as error:
            self.context.logger.warning("%s not set: %s", name, error)
            return f"{name} not set: {error}".rstrip(".")
        return ""


def outcome_of(words: ForgeWords, request: Request, what: str, commit: str = "") -> Outcome:
    """Return what is on record of a request, and what was done."""
    data = {
        "number": request.number,
        "branch": request.branch,
        "commit": commit or request.commit,
        "state": request.state,
        **({"merge_commit": request.merge_commit} if request.merge_commit else {}),
    }
    return Outcome(
        "refused" if request.state == "closed" else "done",
        f"{words.request} {words.sign}{request.number}: {what}.",
        request.url,
        data,
        final=request.state != "open",
    )


def _word(request: Request) -> str:
    if request.state == "merged":
        return "merged"
    return "opened as a draft" if request.is_draft else "opened"


def _renewed(found: Request, commit: str) -> str:
    if found.commit == commit:
        return "open already for this incident, with this very fix"
    return "open already for this incident, and brought up to date"
