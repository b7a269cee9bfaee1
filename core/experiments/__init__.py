"""Experiments between versions: who is shown which variant, and what it comes to. Pure functions."""
