"""Inference on paired forecasts: how much better, and how sure, at every look.

Weather does not react to what is forecast, so every variant forecasts every case, and the difference of two losses in
the same case is free of what makes cases easy or hard. What is uncertain is the weather that came: the unit of chance
is the day, and neighbouring days are alike. All functions take sums by day, oldest first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.domain.learning import Measure

Floats = NDArray[np.float64]
#: Days that are alike at the least.
LEAST_SPELL_DAYS = 5
DRAWS = 2000
#: Losses of fewer spells than this say nothing of what another spell would bring.
LEAST_SPELLS = 2.0
#: A season shows this part of the skew of the weather it comes from (what makes it is rare, and missing in most), and
#: no side reaches further than this many times as far; both from `benchmarks/experiments.py`.
SKEW_SEEN, MOST_STRETCHED = 0.1, 1.8
#: Share of a normal law beyond two standard errors.
NORMAL_TAIL = 0.02275
#: The sequence of intervals is narrowest after so many days (it holds at all of them).
NARROWEST_DAYS = 90


def relative_gain(
    gain: Floats, loss: Floats, confidence: float, rng: np.random.Generator, draws: int = DRAWS
) -> Measure:
    """Return the sum of the gains over the sum of the control's losses, with its interval over days.

    Gains grow with the number of events, and so do losses: their ratio varies far less from season to season than the
    gain of a case. Circular blocks of neighbouring days are drawn, the same for both (Politis and Romano 1992, in
    LePage and Billard, Exploring the Limits of Bootstrap). Losses come in few spells, s (`effective_spells`); the
    interval reaches on each side as far as the wider of two: Student's quantile at
    s - 1 degrees of freedom times sqrt(s / (s - 1)) standard deviations of the draws, and the percentiles of the draws
    at the normal probability of as many (Hesterberg 2015, doi:10.1080/00031305.2015.1089789). On the side of the large
    gains or losses that a season may have missed it reaches further (`stretched`).

    Parameters
    ----------
    gain, loss
        Sums by day, shape (days,).
    confidence
        Percent.

    Returns
    -------
    Measure
        A share: .05 is 5 % less loss than the control. Without an interval where the loss comes from one spell or two.
    """
    from scipy.stats import norm, t

    days, length = len(gain), spell_days(len(gain))
    if not days or loss.sum() <= 0:
        return Measure(None)
    value = float(gain.sum() / loss.sum())
    spells = effective_spells(loss)
    if spells < LEAST_SPELLS:
        return Measure(value)
    starts = rng.integers(0, days, (draws, -(-days // length)))
    rings = [np.cumsum(np.concatenate([[0.0], np.resize(x, days + length)])) for x in (gain, loss)]
    gained, lost = (ring[length : length + days] - ring[:days] for ring in rings)
    gains, losses = gained[starts].sum(axis=1), lost[starts].sum(axis=1)
    drawn = np.divide(gains, losses, out=np.full(draws, value), where=losses > 0)
    wide = float(t.ppf(0.5 + confidence / 200, spells - 1) * np.sqrt(spells / (spells - 1)))
    deviation_of_draws = float(drawn.std(ddof=1))
    down, up = (deviation_of_draws * reach for reach in stretched(wide, gained - value * lost, days / length))
    low, high = np.quantile(drawn, norm.cdf([-wide, wide]))
    return Measure(value, min(value - down, float(low)), max(value + up, float(high)))


def stretched(wide: float, spells: Floats, count: float) -> tuple[float, float]:
    """Return how far an interval reaches down and up, in standard errors, for what spells say that are skewed.

    A season without the spells in which most is gained finds less, and is surer of it: the standard error changes with
    the estimate, by the acceleration a = skewness / (6 sqrt(n)) (Efron 1987, doi:10.1080/01621459.1987.10478410), and
    the interval ends at w / (1 - a w) in place of w. Few spells show a small part of the skew of their weather
    (`SKEW_SEEN`), and the side without skew is not shortened for it.

    Parameters
    ----------
    wide
        How far it would reach without skew.
    spells
        What each spell says, around its mean of 0, shape (spells,).
    count
        How many spells there are that do not overlap.
    """
    spread = float(np.sqrt((spells**2).mean()))
    if spread == 0:
        return wide, wide
    acceleration = float((spells**3).mean()) / spread**3 / (6 * np.sqrt(count)) / SKEW_SEEN
    by = 1 / max(1 - abs(acceleration) * wide, 1 / MOST_STRETCHED)
    return (wide * by, wide) if acceleration < 0 else (wide, wide * by)


def spell_days(days: int) -> int:
    """Return how many neighbouring days are drawn together, and lags of the long-run variance.

    In proportion to the cube root of the length, as what is best for the variance of a mean (Hall, Horowitz and Jing
    1995, Biometrika 82, 561-574); the factor is from `benchmarks/experiments.py`, whose weather has regimes of days.
    """
    return max(LEAST_SPELL_DAYS, round(1.8 * float(np.cbrt(days))))


def effective_spells(loss: Floats) -> float:
    """Return how many spells of equal weight the losses come from: (sum)^2 / sum of squares of the losses by spell."""
    by_spell = np.add.reduceat(loss, np.arange(0, len(loss), spell_days(len(loss))))
    return float(by_spell.sum() ** 2 / (by_spell**2).sum())


def long_run_variance(x: Floats, lags: int) -> float:
    """Return the variance of a mean times its length, with Bartlett's weights (Newey and West 1987), never below 0.

    Parameters
    ----------
    x
        One value a day, shape (days,).
    lags
        Days that are still alike.
    """
    off = x - x.mean()
    n = len(off)
    total = float(off @ off) / n
    for lag in range(1, min(lags, n - 1) + 1):
        total += 2 * (1 - lag / (lags + 1)) * float(off[lag:] @ off[:-lag]) / n
    return max(total, 0.0)


def diebold_mariano(x: Floats, horizon: int = 1) -> float | None:
    """Return the two-sided p-value that two forecasts are equally good, None where their losses never differ.

    Diebold and Mariano (1995) with the correction for small samples of Harvey, Leybourne and Newbold (1997,
    doi:10.1016/S0169-2070(96)00719-4): rectangular weights up to `horizon` - 1, Student's law with n - 1 degrees.

    Parameters
    ----------
    x
        Difference of the losses, one value a day, shape (days,).
    horizon
        How many days a forecast looks ahead; differences as many days apart are independent.
    """
    from scipy.stats import t

    n = len(x)
    if n < 2 * horizon:
        return None
    off = x - x.mean()
    variance = sum((1 if lag == 0 else 2) * float(off[lag:] @ off[: n - lag]) / n for lag in range(horizon))
    correction = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    if variance <= 0:
        return None
    statistic = float(x.mean()) / np.sqrt(variance / n) * np.sqrt(correction)
    return float(2 * t.sf(abs(statistic), n - 1))


def sequence(gain: Floats, loss: Floats, confidence: float, least_days: int) -> tuple[Floats, Floats, Floats]:
    """Return sum of gains over sum of losses after every day with bounds that hold at all of them, each (days,).

    The page is looked at whenever somebody likes, and stops being looked at when it pleases: an interval for one look
    would find a winner in every other comparison of equals. The mixture boundary of Waudby-Smith, Arbour, Sinha,
    Kennedy and Ramdas (2024, Annals of Statistics 52, theorem 2.2): m +- s sqrt(2 (t r + 1) / (t^2 r) log(sqrt(t r + 1)
    / a)) with r such that it is narrowest after `NARROWEST_DAYS`. It is asymptotic: before `least_days` there are no
    bounds (NaN). `s` is the larger of the plain and the long-run deviation of a day, for neighbouring days are alike.

    Parameters
    ----------
    gain, loss
        Sums by day, shape (days,).
    confidence
        Percent, of all looks together.
    """
    days = len(gain)
    until = np.cumsum(loss)
    mean = np.divide(np.cumsum(gain), until, out=np.full(days, np.nan), where=until > 0)
    low, high = np.full((2, days), np.nan)
    for t in range(max(least_days, 2), days + 1):
        if until[t - 1] > 0:
            reach = boundary(t, confidence) * deviation(gain[:t], loss[:t])
            low[t - 1], high[t - 1] = mean[t - 1] - reach, mean[t - 1] + reach
    return mean, low, high


def boundary(days: float, confidence: float) -> float:
    """Return the half-width of `sequence` after so many days, in deviations of one day."""
    alpha = 1 - confidence / 100
    rho = (-2 * np.log(alpha) + np.log(-2 * np.log(alpha) + 1)) / NARROWEST_DAYS
    return float(np.sqrt(2 * (days * rho + 1) / (days**2 * rho) * np.log(np.sqrt(days * rho + 1) / alpha)))


def deviation(gain: Floats, loss: Floats) -> float:
    """Return the standard deviation of what one day says of the ratio, the larger of the plain and the long-run one.

    Widened as Student's law is wider than the normal at two standard errors, for the number of spells that the losses
    come from; infinite where they are fewer than `LEAST_SPELLS`.

    Parameters
    ----------
    gain, loss
        Sums by day, shape (days,), with losses in some of them.
    """
    from scipy.stats import t

    spells = effective_spells(loss)
    if spells < LEAST_SPELLS:
        return float("inf")
    x = (gain - gain.sum() / loss.sum() * loss) / loss.mean()
    variance = max(long_run_variance(x, spell_days(len(gain))), float(x.var()))
    return float(np.sqrt(variance * spells / (spells - 1)) * t.isf(NORMAL_TAIL, spells - 1) / 2)


def probability_better(gain: Floats, rng: np.random.Generator, draws: int = DRAWS) -> float | None:
    """Return how probable a gain above 0 is given these days: the Bayesian bootstrap (Rubin 1981) over spells of days.

    Parameters
    ----------
    gain
        Sums by day, shape (days,).
    """
    length = spell_days(len(gain))
    if len(gain) < 2 * length or not np.any(gain):
        return None
    by_spell = np.add.reduceat(gain, np.arange(0, len(gain), length))
    weights = rng.dirichlet(np.ones(len(by_spell)), draws)
    return float((weights @ by_spell > 0).mean())


def slope(n: Floats, p: Floats, y: Floats) -> float | None:
    """Return the calibration slope from bins: log-odds of the event against log-odds of the mean probability.

    Cox (1958); fitted by Newton's method. None where fewer than two bins are filled, or all or none of the cases are
    events.

    Parameters
    ----------
    n, p, y
        Cases, sum of probabilities and events, shape (bins,).
    """
    filled = n > 0
    n, y, mean = n[filled], y[filled], np.clip(p[filled] / n[filled], 1e-6, 1 - 1e-6)
    if len(n) < 2 or not 0 < y.sum() < n.sum():
        return None
    x = np.stack([np.ones(len(n)), np.log(mean / (1 - mean))], axis=1)
    rate = y.sum() / n.sum()
    b = np.array([np.log(rate / (1 - rate)), 0.0])  # from slope 1 the steps run away where the true slope is small
    for _ in range(50):
        fitted = 1 / (1 + np.exp(-np.clip(x @ b, -30, 30)))
        curvature = (x * (n * fitted * (1 - fitted))[:, None]).T @ x
        if np.linalg.cond(curvature) > 1e12:  # the events do not tell one bin from another
            return None
        step = np.linalg.solve(curvature, x.T @ (y - n * fitted))
        b = b + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            return float(b[1])
    return None
