"""Recognise known errors and give their written remedy."""

from aiops_analyzer_knowledge.analyzer import KnowledgeAnalyzer, KnowledgeConfig

__all__ = ["KnowledgeAnalyzer", "KnowledgeConfig"]
