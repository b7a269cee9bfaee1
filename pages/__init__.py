"""One script per screen: choose and show, no arithmetic, no files."""
