"""Ways to tell people outside."""
