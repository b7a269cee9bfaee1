"""How good the forecast is, beside the reference, plain statistics and the recipe of public cloudburst projects.

python -m benchmarks.skill [--gauges DIR] [--reference reference.py] [--train 2020 2022] [--test 2023] [--shipped]
                           [--out FILE.md]

Trains on some years, tests on another, and prints one table with 90 % intervals over days; then the same with a quarter
of the stations, and with the whole south, left out of the training. Cases are those of the reference's scorer: every
hour of a station with its own rain known and all hours of the window known, as they were reported.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.skill_rivals import Naive, reference
from core.adapters import seed
from core.adapters.gauges.folder import GaugeFolder
from core.adapters.model_store import FolderModelStore
from core.domain.forecast import DEFAULT_WINDOW, THRESHOLDS_MM, hourly_events
from core.domain.learning import Measure, Scorecard, TrainingRequest
from core.domain.weather import HourlyWeather, Values
from core.features import table
from core.learning import estimators, training
from core.learning.exceedance import ExceedanceModel
from core.learning.windows import ForecastModel
from core.quality.checks import check
from core.verification import climatology, scorecard
from core.verification.comparison import skill_difference
from core.verification.persistence import Persistence, highest_before
from core.workflows.fitting import fit_window
from core.workflows.gathering import CHUNK, Gathered, gather

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
OURS, LOGISTIC, REFERENCE = "this model", "logistic regression, same features", "reference"
SEED = 7
#: Bootstrap draws of days.
DRAWS = 100
#: Every fourth station is left out, and all south of this latitude.
EVERY, SOUTH_OF = 4, -22.0
MEASURES = ("auc", "brier_skill", "average_precision", "best_csi", "calibration_slope", "f1")
#: Probability from which the naive recipe warns.
NAIVE_ALARM = 0.5
GAINS = ("auc", "brier_skill", "best_csi")


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its tables."""
    args = _arguments(arguments)
    source = GaugeFolder(args.gauges)
    told = _told()
    past = source.hours(source.regions()[0], _begin(args.train[0]), _end(args.train[1]))
    test = _test(source, past, args.test)
    known = gather(source, (_begin(args.train[0]), _end(args.train[1])), (DEFAULT_WINDOW,), check, told)
    ids = [place.id for place in past.locations]
    years = range(args.train[0], args.train[1] + 1)

    def rival(keep: Mask) -> Floats:
        places = [name for name, kept in zip(ids, keep, strict=True) if kept]
        return reference(args.reference, args.gauges, (years, args.test), places, test.weather)

    everyone = np.ones(len(ids), bool)
    if args.shipped:
        shipped = _shipped_model()
        ours, logistic = (_forecast(some[DEFAULT_WINDOW], test) for some in (shipped.curves, shipped.plain))
    else:
        ours, logistic = (_model(name, known, everyone, test) for name in ("gradient_boosting", "logistic_regression"))
    theirs = rival(everyone)
    text = [*_versions(args), *_main_table({OURS: ours, LOGISTIC: logistic, REFERENCE: theirs}, past, test)]
    _show(text, args.out)
    text += ["", "## Left out of the training", ""]
    latitude = np.array([place.latitude for place in past.locations])
    for name, out in {
        f"every fourth station ({(np.arange(len(ids)) % EVERY == 0).sum()})": np.arange(len(ids)) % EVERY == 0,
        f"all {(latitude < SOUTH_OF).sum()} stations south of {-SOUTH_OF:g} S": latitude < SOUTH_OF,
    }.items():
        if not test.only(out).cases.any():
            text += [f"**{name}**: no case in the test year, not measured.", ""]
            _show(text, args.out)
            continue
        some = _model("gradient_boosting", known, ~out, test)
        text += _left_out(name, (ours, theirs), (some, rival(~out)), test.only(out))
        _show(text, args.out)
    return 0


def _shipped_model() -> ForecastModel:
    """Return the shipped version: the same training on the same years, done before (`make seed-model`)."""
    store = FolderModelStore(ROOT / "models", ROOT / "models", (seed.SEED_VERSION, seed.SEED_MANIFEST_SHA256))
    return ForecastModel.from_parts(store.load(seed.SEED_VERSION)[1])


def _show(text: list[str], page: Path | None) -> None:
    """Print the tables so far and put them into the page: a run of half an hour may be broken off."""
    print("\n".join(text), flush=True)
    if page:
        _write(page, "\n".join(text))


def _main_table(trained: dict[str, Floats], past: HourlyWeather, test: Trial) -> list[str]:
    ahead = training.highest_ahead(past.get("precipitation_mm"), DEFAULT_WINDOW)
    naive = Naive.fit(past, ahead, np.random.default_rng(SEED))
    rivals = trained | {
        "persistence": _persistence(past, ahead, test),
        "climatology": test.usual,
        "naive recipe": np.stack([naive.probability(test.weather)] * 2, axis=-1),
    }
    lines: list[str] = []
    for i, mm in enumerate(THRESHOLDS_MM[:2]):
        cases = test.happened(i)
        lines += [
            "",
            f"## >= {mm:g} mm/h within 6 h: {len(cases):,} cases, {int(cases.sum()):,} events, base rate"
            f" {cases.mean():.2%}",
            "",
            "| forecast | " + " | ".join(scorecard.MEASURES[m] for m in MEASURES) + " |",
            "|---" * (len(MEASURES) + 1) + "|",
        ]
        for name, grid in rivals.items():
            alarm = NAIVE_ALARM if name == "naive recipe" else None
            card, share = _card(grid[..., i], i, test, alarm)
            remark = "" if share > 0.9995 else f" ({share:.0%} of the cases)"
            lines.append(f"| {name}{remark} | " + " | ".join(_text(card.measures[m]) for m in MEASURES) + " |")
        lines += [
            "",
            "This model less the reference, paired: "
            + _gain_text(_gain(trained[OURS], trained[REFERENCE], i, test))
            + ".",
        ]
    lines += [
        "",
        f"On its own random split of oversampled cases the naive recipe claims an F1 of {naive.claimed_f1:.3f}.",
    ]
    return lines


def _left_out(name: str, whole: tuple[Floats, Floats], some: tuple[Floats, Floats], test: Trial) -> list[str]:
    """Return the gain over the reference on stations that neither has seen, beside that of models that had."""
    seen, unseen = _gain(*whole, 0, test), _gain(*some, 0, test)
    over_all = _gain(some[0], whole[1], 0, test)
    kept = {m: _share(unseen[m].value, seen[m].value) for m in GAINS}
    lines = [f"**{name}**, {len(test.day):,} cases, {int(test.happened(0).sum()):,} events, >= 15 mm/h:", ""]
    lines.append(f"- gain over the reference when both have seen them: {_gain_text(seen)}")
    shares = ", ".join(f"{scorecard.MEASURES[m]} {share}" for m, share in kept.items())
    lines.append(f"- when neither has: {_gain_text(unseen)}; kept: {shares}")
    lines.append(f"- ours without them against the reference with them: {_gain_text(over_all)}")
    return [*lines, ""]


def _share(part: float | None, whole: float | None) -> str:
    return "not defined" if part is None or not whole else f"{part / whole:.0%}"


def _model(algorithm: str, known: Gathered, keep: Mask, test: Trial) -> Floats:
    """Fit one algorithm of the registry on the cases of some places; return its forecast (places, hours, 2)."""
    some = known
    if not keep.all():
        rows = keep[known.place]
        arrays = {name: getattr(known, name)[rows] for name in ("rows", "hour", "place", "truth_mm")}
        some = replace(known, **arrays)
    recipe = training.Recipe(algorithm, estimators.algorithm(algorithm).max_rows, SEED)
    model, _ = fit_window(some, DEFAULT_WINDOW, recipe, _told(), TrainingRequest(algorithm))
    return _forecast(model, test)


def _forecast(model: ExceedanceModel, test: Trial) -> Floats:
    """Return p_15 and p_30 at every case of the test, NaN elsewhere."""
    out = np.full((*test.cases.shape, 2), np.nan)
    for part, features in table.in_parts(check(test.weather, False).usable(), CHUNK):
        where = test.cases[part]
        if where.any():
            out[part][where] = model.probabilities(features.rows(where))[:, :2]
    return out


def _persistence(past: HourlyWeather, ahead: Values, test: Trial) -> Floats:
    """Return the frequency of the event after as much rain as fell in the last six hours."""
    before = highest_before(past.get("precipitation_mm").astype(float), DEFAULT_WINDOW.length_h)
    now = highest_before(test.weather.get("precipitation_mm").astype(float), DEFAULT_WINDOW.length_h)
    where = np.isfinite(ahead) & np.isfinite(past.get("precipitation_mm"))
    fits = [Persistence.fit(before[where], (ahead[where] >= mm).astype(float)) for mm in THRESHOLDS_MM[:2]]
    return np.stack([fitted.probability(now) for fitted in fits], axis=-1)


def _test(source: GaugeFolder, past: HourlyWeather, year: int) -> Trial:
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


def _card(grid: Floats, threshold: int, test: Trial, alarm: float | None) -> tuple[Scorecard, float]:
    """Return the scorecard of the cases that a forecast speaks of, and their share."""
    probability = grid[test.cases]
    spoken = np.isfinite(probability)
    judged = scorecard.Judged(
        probability[spoken],
        test.happened(threshold)[spoken],
        test.usual[test.cases][spoken, threshold],
        test.day[spoken],
    )
    rng = np.random.default_rng(SEED)
    event = hourly_events(DEFAULT_WINDOW)[threshold]
    return scorecard.score(event, judged, "test year", DRAWS, rng, alarm=alarm), float(spoken.mean())


def _gain(ours: Floats, theirs: Floats, threshold: int, test: Trial) -> dict[str, Measure]:
    """Return what ours has more than theirs on the cases that both speak of."""
    a, b = ours[test.cases][:, threshold], theirs[test.cases][:, threshold]
    both = np.isfinite(a) & np.isfinite(b)
    usual = test.usual[test.cases][both, threshold]
    return skill_difference(
        a[both], b[both], test.happened(threshold)[both], usual, test.day[both],
        draws=DRAWS, rng=np.random.default_rng(SEED),
    )  # fmt: skip


def _gain_text(gain: dict[str, Measure]) -> str:
    return ", ".join(f"{scorecard.MEASURES[m]} {_text(gain[m], '+.4f')}" for m in GAINS)


def _text(measure: Measure, form: str = ".4f") -> str:
    if measure.value is None:
        return "not defined"
    if measure.low is None or measure.high is None:
        return f"{measure.value:{form}}"
    return f"{measure.value:{form}} ({measure.low:{form}} to {measure.high:{form}})"


def _versions(args: argparse.Namespace) -> list[str]:
    libraries = ", ".join(f"{name} {metadata.version(name)}" for name in ("scikit-learn", "numpy", "scores"))
    trained = f"`{seed.SEED_VERSION}`, trained" if args.shipped else "Trained"
    return [
        f"{trained} on {args.train[0]} to {args.train[1]}, tested on {args.test}; features {table.FEATURE_VERSION};"
        f" {datetime.now(UTC):%Y-%m-%d}; Python {platform.python_version()}, {libraries}. In brackets 90 % intervals"
        f" over days ({DRAWS} draws).",
    ]


def _write(path: Path, text: str) -> None:
    """Put the tables between the marks of a page that is otherwise written by hand."""
    begin, end = "<!-- tables begin -->", "<!-- tables end -->"
    before, _, rest = path.read_text("utf-8").partition(begin)
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{rest.partition(end)[2]}", "utf-8")


def _told() -> Callable[[float, str], None]:
    return lambda done, text: print(f"{done:4.0%} {text}", file=sys.stderr, flush=True)


def _begin(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


def _end(year: int) -> datetime:
    return datetime(year, 12, 31, 23, tzinfo=UTC)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.skill", description=__doc__.splitlines()[0])
    parser.add_argument("--gauges", type=Path, default=SHARED / "data" / "gauges")
    parser.add_argument("--reference", type=Path, default=SHARED / "reference" / "reference.py")
    parser.add_argument("--train", type=int, nargs=2, default=(2020, 2022), metavar="YEAR")
    parser.add_argument("--test", type=int, default=2023, metavar="YEAR")
    parser.add_argument(
        "--shipped", action="store_true", help="take the shipped version, which learned from the same years"
    )
    parser.add_argument("--out", type=Path, metavar="FILE.md", help="page whose tables are replaced")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
