from aiops_analyzer_knowledge import KnowledgeAnalyzer

from aiops_core.testing import contract

test_contract = contract(KnowledgeAnalyzer)
