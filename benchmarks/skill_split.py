"""Some years to learn from and one to be tested on: who is trained on which stations, and what they say there."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.skill_rivals import reference
from core.adapters.gauges.folder import GaugeFolder
from core.domain.forecast import DEFAULT_WINDOW, THRESHOLDS_MM
from core.domain.learning import Measure, TrainingRequest
from core.domain.weather import HourlyWeather, Values
from core.features import table
from core.learning import estimators, training
from core.learning.exceedance import ExceedanceModel
from core.quality.checks import check
from core.verification import climatology
from core.verification.comparison import skill_difference
from core.workflows.fitting import cross_scored, curve_of, fits, fitted
from core.workflows.gathering import Gathered, gather
from core.workflows.partitions import CHUNK

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
SHARED = Path(__file__).resolve().parents[2] / "shared"
#: Seed of everything drawn, and bootstrap draws of days.
SEED, DRAWS = 7, 100


@dataclass(frozen=True)
class Trial:
    """The year that is tested on: raw weather with its look-back, and where the cases are (places, hours)."""

    weather: HourlyWeather
    ahead_mm: Values
    cases: Mask
    usual: Floats

    @property
    def day(self) -> NDArray[np.int64]:
        """Number of the day of every case."""
        return np.nonzero(self.cases)[1] // 24

    def happened(self, threshold: int) -> Floats:
        """Return the outcome of every case at the first or second threshold."""
        return (self.ahead_mm[self.cases] >= THRESHOLDS_MM[threshold]).astype(float)

    def only(self, places: Mask) -> Trial:
        """Return the cases of some places."""
        return replace(self, cases=self.cases & places[:, None])

    def gain(self, ours: Floats, theirs: Floats, threshold: int = 0) -> dict[str, Measure]:
        """Return what ours has more than theirs on the cases that both speak of, with intervals over days."""
        a, b = ours[self.cases][:, threshold], theirs[self.cases][:, threshold]
        both = np.isfinite(a) & np.isfinite(b)
        usual = self.usual[self.cases][both, threshold]
        rng = np.random.default_rng(SEED)
        return skill_difference(
            a[both], b[both], self.happened(threshold)[both], usual, self.day[both], draws=DRAWS, rng=rng
        )


@dataclass(frozen=True)
class Split:
    """A folder of gauges, the years learned from, and the year tested on.

    Forecasts are probabilities of the first two thresholds, shape (places, hours, 2), NaN where nothing is said.
    """

    gauges: Path
    script: Path
    years: range
    test_year: int
    past: HourlyWeather
    known: Gathered
    trial: Trial

    @classmethod
    def of(cls, gauges: Path, script: Path, years: range, test_year: int) -> Split:
        """Read and label the cases of these years."""
        source = GaugeFolder(gauges)
        period = _begin(years[0]), _end(years[-1])
        past = source.hours(source.regions()[0], *period)
        known = gather(source, period, (DEFAULT_WINDOW,), check, told)
        return cls(gauges, script, years, test_year, past, known, _trial(source, past, test_year))

    def earlier(self) -> Split:
        """Return the split that tests on the last of the years and learns from those before it."""
        source, years = GaugeFolder(self.gauges), self.years[:-1]
        past = source.hours(source.regions()[0], _begin(years[0]), _end(years[-1]))
        # The truths of the last hours of a year lie in the next one.
        before = (_begin(self.years[-1]) - timedelta(hours=DEFAULT_WINDOW.end_h)).replace(tzinfo=None)
        known = self.known.at(self.known.hour < np.datetime64(before, "h").astype(np.int64))
        return replace(
            self, years=years, test_year=self.years[-1], past=past, known=known,
            trial=_trial(source, past, self.years[-1]),
        )  # fmt: skip

    @property
    def latitude(self) -> Floats:
        """Latitude of every place, degrees."""
        return np.array([place.latitude for place in self.past.locations])

    def reference(self, places: Mask) -> Floats:
        """Return the forecast of the reference that learned from some places."""
        ids = [place.id for place, taken in zip(self.past.locations, places, strict=True) if taken]
        return reference(self.script, self.gauges, (self.years, self.test_year), ids, self.trial.weather)

    def trained(self, algorithm: str, cases: Mask) -> Floats:
        """Return the forecast of one algorithm of the registry, trained on some of the known cases, shape (cases,)."""
        recipe = training.Recipe(algorithm, estimators.algorithm(algorithm).max_rows, SEED)
        some = self.known if cases.all() else self.known.at(cases)
        done = []
        for number, fit in enumerate(fits(DEFAULT_WINDOW, recipe)):
            told(0.2 * number, fit.text)
            done.append(fitted(some, fit))
        *blocks, scorer = done
        scored = cross_scored(some, DEFAULT_WINDOW, blocks)
        return self.forecast(curve_of(scorer, scored, recipe, TrainingRequest(algorithm)))

    def forecast(self, model: ExceedanceModel) -> Floats:
        """Return the forecast of a model at every case of the test, NaN elsewhere."""
        out = np.full((*self.trial.cases.shape, 2), np.nan)
        for part, features in table.in_parts(check(self.trial.weather, False).usable(), CHUNK):
            where = self.trial.cases[part]
            if where.any():
                out[part][where] = model.probabilities(features.rows(where))[:, :2]
        return out


def told(done: float, text: str) -> None:
    """Say on the error stream how far it is."""
    print(f"{done:4.0%} {text}", file=sys.stderr, flush=True)


def _trial(source: GaugeFolder, past: HourlyWeather, year: int) -> Trial:
    begin = _begin(year)
    weather = source.hours(source.regions()[0], begin - timedelta(hours=table.LOOKBACK_H), _end(year))
    rain = weather.get("precipitation_mm")
    ahead = training.highest_ahead(rain, DEFAULT_WINDOW)
    inside = weather.valid_at >= np.datetime64(begin.replace(tzinfo=None), "h")
    truth = training.highest_ahead(past.get("precipitation_mm"), DEFAULT_WINDOW)
    where = np.isfinite(truth) & np.isfinite(past.get("precipitation_mm"))
    hour = past.valid_at.astype(np.int64)[np.nonzero(where)[1]]
    cells = climatology.cells(weather.valid_at.astype(np.int64))
    usual = [climatology.frequencies(hour, (truth[where] >= mm).astype(float))[cells] for mm in THRESHOLDS_MM[:2]]
    grid = np.broadcast_to(np.stack(usual, axis=-1), (*rain.shape, 2))
    return Trial(weather, ahead, np.isfinite(ahead) & np.isfinite(rain) & inside, grid)


def _begin(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


def _end(year: int) -> datetime:
    return datetime(year, 12, 31, 23, tzinfo=UTC)
