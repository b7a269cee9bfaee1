"""Figures that are read only: what a browser is told of one is worked out once, and not at every draw."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go


class Finished(go.Figure):  # type: ignore[misc]  # plotly ships no types
    """A figure that nobody changes any more, shared by all sessions: its dictionary is made once.

    Streamlit asks for it at every run of a page, and plotly packs every array of it anew.
    """

    def to_dict(self) -> dict[str, Any]:
        """Return the figure as plotly's own does; the answer is shared, and not to be changed."""
        if "_told" not in self.__dict__:
            self.__dict__["_told"] = super().to_dict()
        told: dict[str, Any] = self.__dict__["_told"]
        return told
