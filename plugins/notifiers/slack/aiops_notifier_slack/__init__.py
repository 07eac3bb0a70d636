"""Tell a Slack channel."""

from aiops_notifier_slack.notifier import SlackConfig, SlackNotifier

__all__ = ["SlackConfig", "SlackNotifier"]
