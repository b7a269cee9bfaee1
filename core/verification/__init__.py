"""Verification: how forecasts did against what happened. Pure functions over arrays of cases."""
