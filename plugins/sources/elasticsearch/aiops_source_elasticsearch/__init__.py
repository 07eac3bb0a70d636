"""Read logs out of Elasticsearch: the ``elasticsearch`` source."""

from aiops_source_elasticsearch.source import ElasticsearchConfig, ElasticsearchSource

__all__ = ["ElasticsearchConfig", "ElasticsearchSource"]
