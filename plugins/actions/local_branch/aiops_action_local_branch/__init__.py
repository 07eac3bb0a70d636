"""Push a verified fix to a branch of the repository it came from."""

from aiops_action_local_branch.action import LocalBranch

__all__ = ["LocalBranch"]
