"""Caching: values that may be forgotten at any time."""
