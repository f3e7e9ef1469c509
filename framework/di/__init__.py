"""Dependency injection: providers, signatures, the graph, the container."""
