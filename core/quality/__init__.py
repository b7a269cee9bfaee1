"""Quality checks of hourly weather: pure functions from values to findings."""
