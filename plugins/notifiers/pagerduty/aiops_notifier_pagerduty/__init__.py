"""Trigger and resolve incidents in PagerDuty."""

from aiops_notifier_pagerduty.notifier import PagerdutyConfig, PagerdutyNotifier

__all__ = ["PagerdutyConfig", "PagerdutyNotifier"]
