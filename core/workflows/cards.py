"""The card of a version: what it is, how well it did, and what it must not be used for, in Markdown."""

from __future__ import annotations

from core.domain.learning import Measure, ModelManifest, Scorecard
from core.verification.scorecard import MEASURES


def card(manifest: ModelManifest, extrapolated: tuple[str, ...]) -> str:
    """Return the card; the store puts the version's name for {version}."""
    data = manifest.trained_on
    limits = [*manifest.limits, *_standing_limits(manifest, extrapolated)]
    lines = [
        "# {version}",
        "",
        f"{manifest.algorithm.replace('_', ' ')}, {manifest.calibration} calibration, features"
        f" {manifest.feature_version}. Forecasts the probability of hourly rain {manifest.event.text} somewhere in the"
        f" next {manifest.event.window_h} h, and of heavier rain.",
        "",
        "## Limits",
        "",
        *[f"- {text}" for text in limits],
        "",
        "## Trained on",
        "",
        f"Source {data.source}{', ' + data.area if data.area else ''}: {data.stations} stations,"
        f" {data.begin:%Y-%m-%d} to {data.end:%Y-%m-%d}, {data.rows:,} labelled hours with {data.events:,} events;"
        f" at most {data.sampled_rows:,} rows per fit.",
        "",
    ]
    for scored in manifest.scorecards:
        lines += _scores(scored)
    return "\n".join(lines) + "\n"


def _standing_limits(manifest: ModelManifest, extrapolated: tuple[str, ...]) -> list[str]:
    """Return the limits that every model of ours has."""
    limits = (
        [f"Extrapolated by a generalized Pareto tail, not verified: {', '.join(extrapolated)}."] if extrapolated else []
    )
    if manifest.source == "simulator":
        limits.append("Trained on simulated weather: it is never used on real data.")
    limits.append("Intervals are those of the calibration, not of the weather.")
    return limits


def _scores(scored: Scorecard) -> list[str]:
    base = "unknown" if scored.base_rate is None else f"{scored.base_rate:.3%}"
    return [
        f"## Scores for {scored.event.text} {scored.event.window.within}",
        "",
        f"{scored.cases}; {scored.n:,} cases, {scored.events:,} events, base rate {base}; skill against the"
        f" {scored.reference}; 90 % intervals over days.",
        "",
        "| " + " | ".join(["measure", "value", "interval", *scored.references]) + " |",
        "|---" * (3 + len(scored.references)) + "|",
        *[_row(scored, name, m) for name, m in scored.measures.items()],
        "",
    ]


def _row(scored: Scorecard, name: str, measure: Measure) -> str:
    beside = [_value(measures[name]) for measures in scored.references.values()]
    return "| " + " | ".join([MEASURES[name], _value(measure), _interval(measure), *beside]) + " |"


def _value(measure: Measure) -> str:
    return "not available" if measure.value is None else f"{measure.value:.4f}"


def _interval(measure: Measure) -> str:
    return "" if measure.low is None or measure.high is None else f"{measure.low:.4f} to {measure.high:.4f}"
