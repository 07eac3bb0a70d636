"""The way in: signals of one pipeline become counted events, one transaction per batch.

One thread per source hands batches over through a bounded queue; one thread per pipeline cuts,
detects and commits. What is committed and where reading would start again are one transaction.
"""

from aiops_core.ingest.reading import Ingest, canary_key

__all__ = ["Ingest", "canary_key"]
