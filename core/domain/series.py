"""Series along the hours: arrays of shape (places, hours)."""

from __future__ import annotations

import numpy as np

from core.domain.weather import Values


def shifted(values: Values, lag: int) -> Values:
    """Return the values of `lag` hours before (negative: after), NaN beyond the ends."""
    out = np.full_like(values, np.nan)
    if lag >= 0:
        out[:, lag:] = values[:, : max(values.shape[1] - lag, 0)]
    else:
        out[:, :lag] = values[:, -lag:]
    return out
