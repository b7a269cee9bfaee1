"""From matured results to what they add to the sums of every variant and day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.domain.experiment import Experiment, Matured
from core.experiments.sums import Floats, sums

DAY_S = 86_400


def folded(experiment: Experiment, matured: Sequence[Matured]) -> Mapping[tuple[str, int], Floats]:
    """Return what matured results add to the sums of every variant and day."""
    cases = sorted({(m.valid_at, m.location_id) for m in matured})
    at = {case: i for i, case in enumerate(cases)}
    names = [v.variant_id for v in experiment.variants]
    said = {name: np.full((2, len(cases)), np.nan) for name in names}
    given = {name: np.zeros(len(cases), bool) for name in names}
    happened = np.zeros(len(cases))
    for m in matured:
        i = at[m.valid_at, m.location_id]
        said[m.variant_id][:, i] = [np.nan if x is None else x for x in (m.probability, m.latency_ms)]
        given[m.variant_id][i], happened[i] = True, float(m.happened)
    day = np.array([int(valid_at.timestamp() // DAY_S) for valid_at, _ in cases])
    control = said[experiment.control.variant_id][0]
    out = {}
    for name in names:
        for one in np.unique(day[given[name]]):
            some = (day == one) & given[name]
            p, ms = said[name][:, some]
            out[name, int(one)] = sums(p, control[some], happened[some], ms, experiment.alarm)
    return out
