"""Frozen values of the field: weather, forecasts, models. Standard library and numpy only."""
