"""Features: physics first, then history. Nothing here looks ahead of its hour."""
