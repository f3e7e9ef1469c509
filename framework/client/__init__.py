"""Putting jobs in, and looking at them."""
