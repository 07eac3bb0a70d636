"""Post reports as signed JSON."""

from aiops_notifier_webhook.notifier import WebhookConfig, WebhookNotifier

__all__ = ["WebhookConfig", "WebhookNotifier"]
