"""Tell a DingTalk group."""

from aiops_notifier_dingtalk.notifier import DingtalkConfig, DingtalkNotifier

__all__ = ["DingtalkConfig", "DingtalkNotifier"]
