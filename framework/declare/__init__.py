"""Decorators that note what a class or function is; nothing happens at import."""
