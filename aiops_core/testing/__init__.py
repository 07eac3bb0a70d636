"""What plugin authors need in tests: real peers on loopback and small pipelines."""
