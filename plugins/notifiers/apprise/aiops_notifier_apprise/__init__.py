"""Tell people through the many services Apprise knows."""

from aiops_notifier_apprise.notifier import AppriseConfig, AppriseNotifier

__all__ = ["AppriseConfig", "AppriseNotifier"]
