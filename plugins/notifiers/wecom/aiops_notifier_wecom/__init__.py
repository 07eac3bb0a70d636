"""Tell a WeCom group."""

from aiops_notifier_wecom.notifier import WecomConfig, WecomNotifier

__all__ = ["WecomConfig", "WecomNotifier"]
