"""Two forecasts of the same cases: the difference of their scores, drawn together.

Weather lasts: the days of one spell are hard or easy together, and two models err apart from each other for as long as
it lasts. `compare`, which decides on promotions, therefore draws circular blocks of several days (Politis and Romano
1992, in LePage and Billard, Exploring the Limits of Bootstrap), the same for both forecasts, and knows how few spells
hold the events: s = (sum of n)² / sum of n² over the numbers n of events in each. Around a value v the interval goes
on each side as far as the wider of two, with t Student's quantile at s - 1 degrees of freedom, f = sqrt(s / (s - 1)):
v ± t f e, where e is the standard deviation of the draws (Efron and Tibshirani 1993, An Introduction to the Bootstrap,
ch. 12), and the percentiles of the draws at the normal probabilities of -t f and t f (Hesterberg 2015,
doi:10.1080/00031305.2015.1089789). Single days drawn with replacement are too sure of themselves:
`benchmarks/gate_simulation.py --spell-days 1` counts what they promote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from core.domain.forecast import EventDefinition
from core.domain.learning import Measure, Scorecard
from core.domain.lifecycle import Comparison
from core.errors import ConfigurationError
from core.verification import scorecard
from core.verification.categorical import Contingency
from core.verification.days import Days, measured
from core.verification.probabilistic import Ranked, average_precision, best_csi, roc_area
from core.verification.scorecard import Judged

Floats = NDArray[np.float64]
#: A measure of the cases as they are and of every draw; NaN where it is not defined.
Drawn = Floats
#: What is compared, from running sums; the Brier skill comes from sums by day.
_RANKING: Mapping[str, Callable[[Floats, Floats], float | None]] = {
    "auc": roc_area,
    "average_precision": average_precision,
    "best_csi": best_csi,
}
_OF_WARNINGS = ("pod", "far", "csi")
#: Measures that a gate can go by.
JUDGED = ("brier", *_RANKING)
#: Days that are drawn together: longer than most spells of weather last. In the simulated world single days promote
#: up to 6.0 % of the equally good and 1.8 % of the worse (limits: 5 and 1 %), 5 days 3.7 and 0.2 %. The price is power:
#: of candidates that are 5 % better, 98 in place of 99 % after 90 days, and 49 in place of 76 % after 30.
SPELL_DAYS = 5
#: With the events of fewer spells than this an interval would rest on a single piece of weather.
LEAST_SPELLS = 2.0
#: Draws behind intervals that are shown and decide nothing.
SHOWN_DRAWS = 100
#: "Yes" of a probability forecast in the accuracy that people ask for.
EVEN = 0.5


# ------------------------------------------------------------------------------------------------ the gate's comparison


def compare(
    candidate: Floats,
    champion: Floats | None,
    happened: Floats,
    usual: Floats,
    day: NDArray[np.int64],
    *,
    event: EventDefinition,
    measure: str,
    confidence: float,
    alarm: float,
    draws: int,
    rng: np.random.Generator,
    begin: datetime,
    end: datetime,
    shown_draws: int | None = None,
    spell_days: int = SPELL_DAYS,
) -> Comparison:
    """Return two forecasts side by side on the same cases, and by how much the candidate's loss is less.

    Parameters
    ----------
    candidate, champion
        Probabilities, shape (cases,). Where the champion is None, climatology stands in its place.
    happened, usual, day
        Outcome (0 or 1), what the calendar says and number of the day, shape (cases,).
    measure, confidence
        What the gain is of, a name of `JUDGED`; and of its interval, percent. The scorecards have 90 % over days.
    alarm
        Probability from which on a warning is given, by either.
    draws, shown_draws
        Behind the interval of the gain, and behind the others (by default `SHOWN_DRAWS` at the most).
    begin, end
        First and last hour of the cases, UTC.

    Raises
    ------
    LeakSuspected
        If the candidate's scores are too good to be true. Those of a champion are shown as they are.
    DataError
        If a probability is not in [0, 1] or an outcome neither 0 nor 1.
    ConfigurationError
        If no gain is known of that measure.
    """
    pair = _Pair(candidate, usual if champion is None else champion, happened, usual, alarm)
    shown = min(draws, SHOWN_DRAWS) if shown_draws is None else shown_draws
    own = Judged(candidate, happened, usual, day)
    rival = None if champion is None else Judged(champion, happened, usual, day)
    cards = _cards(own, rival, event, alarm, cases=_text(begin, end, champion), draws=shown, rng=rng)
    decided, told = (_spells(day, happened, spell_days, n, rng) for n in (draws, shown))
    return Comparison(
        *cards,
        measure=measure,
        relative_gain=decided.interval(pair.gain(measure, decided.days), confidence),
        differences={name: told.interval(drawn, confidence) for name, drawn in pair.differences(told.days).items()},
        days=decided.days.times.shape[1],
        begin=begin,
        end=end,
        accuracy=told.interval(_accuracy(candidate, happened, told.days), confidence),
        confidence=confidence,
    )


def _text(begin: datetime, end: datetime, champion: Floats | None) -> str:
    held = f"held out {begin:%Y-%m-%d} to {end:%Y-%m-%d}"
    return held if champion is not None else f"{held}, beside climatology, for there was no champion to score"


def _cards(
    own: Judged,
    rival: Judged | None,
    event: EventDefinition,
    alarm: float,
    *,
    cases: str,
    draws: int,
    rng: np.random.Generator,
) -> tuple[Scorecard, Scorecard | None]:
    """Return both scorecards. Only the candidate is suspected: a champion too good to be true is there to be seen."""
    card = scorecard.score(event, own, cases, draws, rng, alarm=alarm)
    if rival is None:
        return card, None
    return card, scorecard._card(event, rival, cases, Days.of(rival.day, draws, rng), alarm)


@dataclass(frozen=True)
class _Spells:
    """Days drawn by spells, and how many spells the events come from."""

    days: Days
    effective: float

    def interval(self, drawn: Drawn, confidence: float) -> Measure:
        """Return the value with its interval; without one where too few spells or draws speak."""
        from scipy.stats import norm, t

        value, known = float(drawn[0]), drawn[1:][np.isfinite(drawn[1:])]
        if not np.isfinite(value):
            return Measure(None)
        if self.effective < LEAST_SPELLS or len(known) < 2:
            return Measure(value)
        s = self.effective
        wide = float(t.ppf(0.5 + confidence / 200, s - 1) * np.sqrt(s / (s - 1)))
        reach = wide * float(np.std(known, ddof=1))
        low, high = np.quantile(known, norm.cdf([-wide, wide]))
        return Measure(value, min(value - reach, float(low)), max(value + reach, float(high)))


def _spells(day: NDArray[np.int64], happened: Floats, length: int, draws: int, rng: np.random.Generator) -> _Spells:
    """Draw whole days in circular blocks of neighbours, as many days as there are."""
    held, index = np.unique(day, return_inverse=True)
    n = len(held)
    times = np.ones((1 + draws, n))
    if n and draws:
        blocks = -(-n // length)
        starts = rng.integers(0, n, (draws, blocks, 1))
        drawn = ((starts + np.arange(length)) % n).reshape(draws, -1)[:, :n]
        flat = drawn + n * np.arange(draws)[:, None]
        times[1:] = np.bincount(flat.ravel(), minlength=draws * n).reshape(draws, n)
    events = np.bincount(index, weights=happened, minlength=n)
    by_spell = np.add.reduceat(events, np.arange(0, n, length)) if n else events
    squares = float((by_spell**2).sum())
    effective = float(events.sum()) ** 2 / squares if squares > 0 else 0.0
    return _Spells(Days(index.astype(np.int64), times), effective)


@dataclass(frozen=True)
class _Pair:
    """Two forecasts, the outcome and the calendar, shape (cases,), and what is a warning of either."""

    ours: Floats
    theirs: Floats
    happened: Floats
    usual: Floats
    alarm: float

    @property
    def comparable(self) -> bool:
        """False where there are no cases, or one of the two says nothing in some."""
        return len(self.happened) > 0 and bool(np.isfinite(self.ours).all() and np.isfinite(self.theirs).all())

    def gain(self, measure: str, days: Days) -> Drawn:
        """Return 1 - our loss / their loss, shape (1 + draws,): of the Brier score itself, of the others 1 less it."""
        if measure not in JUDGED:
            raise ConfigurationError(f"No gain is known of {measure!r}.", hint=f"Known are {', '.join(JUDGED)}.")
        if not self.comparable:
            return _unknown(days)
        own, other = (self._losses(p, measure, days) for p in (self.ours, self.theirs))
        return 1 - _ratio(own, other)

    def differences(self, days: Days) -> dict[str, Drawn]:
        """Return ours less theirs by measure, each of shape (1 + draws,)."""
        if not self.comparable:
            return {name: _unknown(days) for name in ("brier", "brier_skill", *_RANKING, *_OF_WARNINGS)}
        n, reference = days.totals(np.ones(len(self.happened))), days.totals((self.usual - self.happened) ** 2)
        own, other = (days.totals((p - self.happened) ** 2) for p in (self.ours, self.theirs))
        ranked = [_ranking(p, self.happened, days, tuple(_RANKING)) for p in (self.ours, self.theirs)]
        warned = [_warnings(p, self.happened, days, self.alarm) for p in (self.ours, self.theirs)]
        return {
            "brier": (own - other) / n,
            "brier_skill": _ratio(other - own, reference),
            **{name: ranked[0][name] - ranked[1][name] for name in _RANKING},
            **{name: warned[0][name] - warned[1][name] for name in _OF_WARNINGS},
        }

    def _losses(self, p: Floats, measure: str, days: Days) -> Drawn:
        if measure == "brier":
            return days.totals((p - self.happened) ** 2)
        return 1 - _ranking(p, self.happened, days, (measure,))[measure]


def _unknown(days: Days) -> Drawn:
    return np.full(len(days.times), np.nan)


def _ratio(above: Floats, below: Floats) -> Floats:
    """Return quotients, NaN where they are not defined."""
    return np.asarray(np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0))


def _accuracy(p: Floats, happened: Floats, days: Days) -> Drawn:
    if not len(p):
        return _unknown(days)
    return days.totals(((p >= EVEN) == (happened == 1)).astype(float)) / days.totals(np.ones(len(p)))


def _warnings(p: Floats, happened: Floats, days: Days, alarm: float) -> dict[str, Drawn]:
    cells = days.counts(2 * (p >= alarm).astype(np.int64) + happened.astype(np.int64), 4)
    tables = [Contingency(row[3], row[2], row[1], row[0]) for row in cells.tolist()]
    return {name: np.array([getattr(table, name) for table in tables], float) for name in _OF_WARNINGS}


def _ranking(p: Floats, happened: Floats, days: Days, names: tuple[str, ...]) -> dict[str, Drawn]:
    """Return measures of the order of the cases, by name: running sums over the groups of `Ranked`, by day."""
    ranked = Ranked.of(p, happened)
    groups = len(ranked.last)
    group = np.empty(len(p), np.int64)
    group[ranked.order] = np.searchsorted(ranked.last, np.arange(len(p)))
    n, events = days.counts(group, groups), days.counts(group, groups, happened)
    hits = np.cumsum(events, axis=1)
    false_alarms = np.cumsum(n, axis=1) - hits
    pairs = list(zip(hits, false_alarms, strict=True))
    return {name: np.array([_RANKING[name](*pair) for pair in pairs], float) for name in names}


# ---------------------------------------------------------------------------------------------------- shown differences


def skill_difference(
    a: Floats,
    b: Floats,
    happened: Floats,
    reference: Floats,
    day: NDArray[np.int64],
    *,
    draws: int,
    rng: np.random.Generator,
) -> dict[str, Measure]:
    """Return brier_skill, auc, average_precision and best_csi of `a` less those of `b`, with 90 % intervals over days.

    Both are judged on the same days in every draw, so that what is hard for both does not blur which is better.

    Parameters
    ----------
    a, b
        Probabilities of two forecasts, shape (cases,).
    happened, reference, day
        Outcome (0 or 1), reference probability of the Brier skill and number of the day, shape (cases,).
    """
    if not len(happened):
        return {name: Measure(None) for name in ("brier_skill", *_RANKING)}
    days = Days.of(day, draws, rng)
    found = _Pair(a, b, happened, reference, alarm=1.0).differences(days)
    return {name: measured(_known(found[name])) for name in ("brier_skill", *_RANKING)}


def _known(drawn: Drawn) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in drawn]
