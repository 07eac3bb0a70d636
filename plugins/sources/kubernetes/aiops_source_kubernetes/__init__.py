"""Read what pods wrote, from a node's CRI log files: the ``kubernetes`` source."""

from aiops_source_kubernetes.source import KubernetesConfig, KubernetesSource

__all__ = ["KubernetesConfig", "KubernetesSource"]
