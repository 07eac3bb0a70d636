"""The action: one incident, one branch ``fix/…`` on the remote, and how to look at it."""

from __future__ import annotations

import shlex
from typing import ClassVar

from aiops_action_local_branch.order import Order, write_order
from aiops_core import (
    Action,
    Analysis,
    Change,
    Incident,
    Outcome,
    Plan,
    Refused,
    Repository,
    Retry,
    StopLevel,
    UserError,
)
from aiops_core.repair import GitError, branch_state, publish, remote_address

_WAIT = 60.0


class LocalBranch(Action):
    """Push a verified fix as a new branch to the remote of ``repository.url``."""

    reaches: ClassVar[StopLevel] = "branch"

    def check(self) -> None:
        self.start()

    def start(self) -> None:
        """Refuse to start without a repository, or with an address that cannot be pushed to."""
        try:
            remote_address(self._repository)
        except GitError as error:
            raise UserError(str(error)) from None

    def plan(self, incident: Incident, analysis: Analysis, change: Change | None) -> Plan | None:
        """Say which branch holds which files; None without a change."""
        if change is None:
            return None
        return write_order(remote_address(self._repository), incident, analysis, change).plan()

    def act(self, plan: Plan) -> Outcome:
        """Push the branch, unless it is there already with this very fix."""
        order, address = Order.read(plan.data), remote_address(self._repository)
        if order.address != address:
            return Outcome(
                "refused",
                f"repository.url: the plan is for {order.address}, the pipeline's repository is now {address}. "
                "Retry the incident for a new plan.",
                data={"branch": order.branch},
            )
        try:
            with self.context.step("push", order.key) as effect:
                if effect.result is None:
                    effect.result = self._push(order)
                pushed: dict[str, str] = effect.result
        except Refused as error:
            return Outcome("refused", str(error), data={"branch": order.branch, "rule": error.rule})
        except GitError as error:
            if error.is_transient:
                raise Retry(str(error), after=_WAIT) from None
            return Outcome("failed", str(error), data={"branch": order.branch})
        data = {**pushed, "base_branch": order.change.base_branch, "state": "open"}
        return Outcome("done", _summary(pushed), data=data, final=False)

    def follow(self, outcome: Outcome) -> Outcome | None:
        """Report that the branch was merged or deleted; None while it waits for a review."""
        branch, commit, base = (outcome.data[name] for name in ("branch", "commit", "base_branch"))
        try:
            state, merged = branch_state(
                self._repository, self.context.mirrors, branch=branch, commit=commit, base=base
            )
        except GitError as error:
            raise Retry(str(error), after=_WAIT) from None
        if state == "open":
            return None
        if state == "gone":
            data = {**outcome.data, "state": "closed"}
            return Outcome("refused", f"branch {branch} was deleted without being merged", data=data)
        data = {**outcome.data, "state": "merged", "merge_commit": merged}
        how = "" if merged == commit else f" as {merged[:12]}"
        summary = f"branch {branch}, commit {commit[:12]}, was merged into {base}{how}"
        return Outcome("done", summary, data=data)

    def _push(self, order: Order) -> dict[str, str]:
        published = publish(
            order.change,
            branch=order.branch,
            message=order.message,
            repository=self._repository,
            mirrors=self.context.mirrors,
            scratch=self.context.scratch,
        )
        return {
            "branch": published.branch,
            "commit": published.commit,
            "base": published.base_commit,
            "remote": published.remote_url,
        }

    @property
    def _repository(self) -> Repository:
        if self.context.repository is None:
            raise UserError(
                "repository: local_branch needs one. "
                "Write repository: {url: ADDRESS, test: COMMAND} into the pipeline."
            )
        return self.context.repository


def _summary(pushed: dict[str, str]) -> str:
    remote, branch = shlex.quote(pushed["remote"]), shlex.quote(pushed["branch"])
    return (
        f"pushed branch {pushed['branch']}, commit {pushed['commit'][:12]}. Review it in a clone: "
        f"git fetch {remote} {branch} && git diff {pushed['base'][:12]}...FETCH_HEAD"
    )
