"""Tell a Discord channel."""

from aiops_notifier_discord.notifier import DiscordConfig, DiscordNotifier

__all__ = ["DiscordConfig", "DiscordNotifier"]
