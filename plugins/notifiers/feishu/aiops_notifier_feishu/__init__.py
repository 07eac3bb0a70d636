"""Tell a Feishu or Lark group."""

from aiops_notifier_feishu.notifier import FeishuConfig, FeishuNotifier

__all__ = ["FeishuConfig", "FeishuNotifier"]
