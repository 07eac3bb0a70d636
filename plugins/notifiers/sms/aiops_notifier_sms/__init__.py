"""Tell phones by short message, through any service with an HTTP API."""

from aiops_notifier_sms.notifier import SmsConfig, SmsNotifier

__all__ = ["SmsConfig", "SmsNotifier"]
