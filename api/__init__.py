"""The HTTP door: thin routes on the core, mounted below /api."""
