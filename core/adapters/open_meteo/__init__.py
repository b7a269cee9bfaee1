"""The weather service Open-Meteo as a live source: asked within its free limits, and believed only after checks."""
