"""Send reports as mail."""

from aiops_notifier_email.notifier import EmailConfig, EmailNotifier

__all__ = ["EmailConfig", "EmailNotifier"]
