"""Experiments between versions: who is shown which variant. Pure functions."""
