"""Assignment of units to variants: sticky, uniform, and independent between experiments."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

#: Weights are kept to a hundredth of a percent.
BUCKETS = 10_000


def bucket(experiment_id: str, unit: str) -> int:
    """Return the bucket of a unit, 0..9999: the same for ever, and unrelated to its bucket in another experiment.

    The experiment's name salts the hash, so that the people who were shown the challenger last time are not the ones
    who are shown it again (Kohavi et al. 2020, Trustworthy Online Controlled Experiments, ch. 14).
    """
    digest = hashlib.sha256(f"{experiment_id}\x00{unit}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % BUCKETS


def variant(experiment_id: str, unit: str, shares: Mapping[str, float]) -> str:
    """Return the variant of a unit.

    Parameters
    ----------
    shares
        Variants in a fixed order with their shares, which sum to 1. A share that grows takes units from the variant
        after it only.

    Raises
    ------
    ValueError
        If the shares do not sum to 1 or one is negative.
    """
    if not shares or min(shares.values()) < 0 or round(sum(shares.values()) * BUCKETS) != BUCKETS:
        raise ValueError("shares must be positive and sum to 1")
    place, upper = bucket(experiment_id, unit), 0.0
    for name, share in shares.items():
        upper += share * BUCKETS
        if place < round(upper):
            return name
    return name
