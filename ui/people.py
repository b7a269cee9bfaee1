"""Whose word a level is, wherever it is shown."""

from __future__ import annotations

from core import LEVELS, Override, RiskLevel
from ui.language import say


def set_by(made: Override | None) -> str:
    """Return who set the level of a place and what the model says, in words that follow a level; else nothing.

    As plain text: in Markdown and HTML it must be escaped.
    """
    if made is None:
        return ""
    model = say(LEVELS[made.model_level or RiskLevel.UNKNOWN].name)
    return say(" (set by {who}: {why}; the model says {level})", who=made.who, why=made.why, level=model)
