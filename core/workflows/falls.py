"""Falls: which metrics of quality lie clearly below what they were, and which have come back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from statistics import median
from typing import Any

from core.domain.quality import QualityMetrics
from core.domain.told import tell

#: A metric has fallen when it lies this far (share) below what it usually is. Completeness and timeliness: a tenth is
#: more than a lost station or a late hour in a network, and less than the loss of one variable of seven. Validity and
#: consistency hardly move by themselves: two or five values in a hundred that turn bad are a sensor or a clock. Overall
#: is a product and moves with all of them. The anomaly rate is not watched: it rises with every thunderstorm.
FALLS: dict[str, float] = {
    "completeness": 0.10,
    "validity": 0.02,
    "consistency": 0.05,
    "timeliness": 0.10,
    "overall": 0.15,
}
#: What is usual is the median of the last week but the last day, whose periods overlap with the present one.
USUAL = timedelta(days=7)
OVERLAP = timedelta(hours=24)
#: Fewer earlier metrics say nothing about what is usual: a day of them.
LEAST_EARLIER = 24
#: A fall is over when less than half of it is left: between the two nothing is said, so nothing is said twice.
RECOVERED_PART = 0.5


@dataclass(frozen=True)
class Fall:
    """A metric of a region that fell from what it usually was (`usual`) to `value`, at `since` (ISO 8601, UTC)."""

    source: str
    region_id: str
    region: str
    metric: str
    usual: float
    value: float
    since: str

    @property
    def text(self) -> str:
        """The fall in words."""
        return tell(
            "{region}: {metric} fell from {usual:.0%} to {value:.0%} (since {since}).",
            region=self.region,
            metric=tell(self.metric),
            usual=self.usual,
            value=self.value,
            since=self.since,
        )

    def is_over(self, value: float) -> bool:
        """Say whether a value is back where it was; an unknown one is not."""
        return value >= self.usual - RECOVERED_PART * FALLS.get(self.metric, 0.0)


def usual(metric: str, now: QualityMetrics, earlier: Sequence[QualityMetrics]) -> float:
    """Return what a metric usually was, NaN where too little is known."""
    known = [
        value
        for m in earlier
        if m.source == now.source
        and now.end - USUAL <= m.end <= now.end - OVERLAP
        and not math.isnan(value := float(getattr(m, metric)))
    ]
    return median(known) if len(known) >= LEAST_EARLIER else math.nan


def fallen(
    now: QualityMetrics, earlier: Sequence[QualityMetrics], region: str, already: Iterable[str] = ()
) -> tuple[Fall, ...]:
    """Return the metrics that have fallen now and were not down already."""
    since = f"{now.end:%Y-%m-%d %H:%M} UTC"
    found = []
    for metric, fall in FALLS.items():
        value, before = float(getattr(now, metric)), usual(metric, now, earlier)
        if metric not in set(already) and value < before - fall:
            found.append(Fall(now.source, now.region_id, region, metric, before, value, since))
    return tuple(found)


def still_down(runs: Iterable[Mapping[str, Any]]) -> tuple[Fall, ...]:
    """Return the falls that no later run ended, oldest first, from the runs of the ledger, newest first."""
    newest: dict[tuple[str, ...], Fall | None] = {}
    for run in runs:
        detail = run["detail"]
        try:
            fall = Fall(**{name: detail[name] for name in Fall.__dataclass_fields__})
        except (KeyError, TypeError):  # a run of another program version
            continue
        key = (fall.source, fall.region_id, fall.metric)
        newest.setdefault(key, fall if run["status"] == FALLEN else None)
    return tuple(fall for fall in reversed(newest.values()) if fall is not None)


#: Kind and states of the runs that keep falls.
KIND, FALLEN, RECOVERED = "quality", "fallen", "recovered"


def detail(fall: Fall) -> dict[str, Any]:
    """Return a fall as the detail of a run."""
    return asdict(fall) | {"text": fall.text}
