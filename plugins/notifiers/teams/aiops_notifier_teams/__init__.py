"""Tell a Microsoft Teams channel."""

from aiops_notifier_teams.notifier import TeamsConfig, TeamsNotifier

__all__ = ["TeamsConfig", "TeamsNotifier"]
