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
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.skill_rivals import Naive
from benchmarks.skill_split import DRAWS, SEED, SHARED, Split, Trial, told
from core.adapters import seed
from core.adapters.model_store import FolderModelStore
from core.domain.forecast import DEFAULT_WINDOW, THRESHOLDS_MM, hourly_events
from core.domain.learning import Measure, Scorecard
from core.features import table
from core.learning import training
from core.learning.windows import ForecastModel
from core.verification import scorecard
from core.verification.persistence import Persistence, highest_before

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
ROOT = Path(__file__).resolve().parents[1]
ALGORITHM = "gradient_boosting"
OURS, LOGISTIC, REFERENCE = "this model", "logistic regression, same features", "reference"
#: Every fourth station is left out, and all south of this latitude.
EVERY, SOUTH_OF = 4, -22.0
MEASURES = ("auc", "brier_skill", "average_precision", "best_csi", "calibration_slope", "f1")
#: Probability from which the naive recipe warns.
NAIVE_ALARM = 0.5
GAINS = ("auc", "brier_skill", "best_csi")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its tables."""
    args = _arguments(arguments)
    split = Split.of(args.gauges, args.reference, range(args.train[0], args.train[1] + 1), args.test)
    places = np.ones(len(split.past.locations), bool)
    everything = np.ones(len(split.known.hour), bool)
    if args.shipped:
        shipped = _shipped_model()
        ours, logistic = (split.forecast(some[DEFAULT_WINDOW]) for some in (shipped.curves, shipped.plain))
    else:
        ours, logistic = (split.trained(name, everything) for name in (ALGORITHM, "logistic_regression"))
    theirs = split.reference(places)
    text = [*_versions(args), *_main_table({OURS: ours, LOGISTIC: logistic, REFERENCE: theirs}, split)]
    _show(text, args.out)
    text += ["", "## Left out of the training", ""]
    fourth, south = np.arange(len(places)) % EVERY == 0, split.latitude < SOUTH_OF
    whole = (ours, theirs)
    for name, out in {
        f"every fourth station ({fourth.sum()})": fourth,
        f"all {south.sum()} stations south of {-SOUTH_OF:g} S": south,
    }.items():
        if not split.trial.only(out).cases.any():  # its archive ends before: the year before is tested, unseen too
            told(0, f"{name}: no case in {split.test_year}")
            split = split.earlier()
            everything = np.ones(len(split.known.hour), bool)
            whole = split.trained(ALGORITHM, everything), split.reference(places)
        some = split.trained(ALGORITHM, ~out[split.known.place]), split.reference(~out)
        text += _left_out(name, whole, some, split, out)
        _show(text, args.out)
    return 0


def _shipped_model() -> ForecastModel:
    """Return the shipped version: the same training on the same years, done before (`make seed-model`)."""
    store = FolderModelStore(ROOT / "models", ROOT / "models", (seed.SEED_VERSION, seed.SEED_MANIFEST_SHA256), b"")
    return ForecastModel.from_parts(store.load(seed.SEED_VERSION)[1])


def _show(text: list[str], page: Path | None) -> None:
    """Print the tables so far and put them into the page: a run of half an hour may be broken off."""
    print("\n".join(text), flush=True)
    if page:
        write(page, "tables", "\n".join(text))


def _main_table(trained: dict[str, Floats], split: Split) -> list[str]:
    past, test = split.past, split.trial
    ahead = training.highest_ahead(past.get("precipitation_mm"), DEFAULT_WINDOW)
    naive = Naive.fit(past, ahead, np.random.default_rng(SEED))
    rivals = trained | {
        "persistence": _persistence(split),
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
            card, part = card_of(grid[..., i], i, test, alarm)
            remark = "" if part > 0.9995 else f" ({part:.0%} of the cases)"
            lines.append(f"| {name}{remark} | " + " | ".join(text_of(card.measures[m]) for m in MEASURES) + " |")
        lines += [
            "",
            "This model less the reference, paired: "
            + _gain_text(test.gain(trained[OURS], trained[REFERENCE], i))
            + ".",
        ]
    lines += [
        "",
        f"On its own random split of oversampled cases the naive recipe claims an F1 of {naive.claimed_f1:.3f}.",
    ]
    return lines


def _left_out(
    name: str, whole: tuple[Floats, Floats], some: tuple[Floats, Floats], split: Split, out: Mask
) -> list[str]:
    """Return the gain over the reference on stations that neither has seen, beside that of models that had."""
    test = split.trial.only(out)
    seen, unseen = test.gain(*whole), test.gain(*some)
    kept = {m: _share(unseen[m].value, seen[m].value) for m in GAINS}
    years = f"learned from {split.years[0]} to {split.years[-1]}, tested on {split.test_year}"
    lines = [f"**{name}**, {years}: {len(test.day):,} cases, {int(test.happened(0).sum()):,} events, >= 15 mm/h:", ""]
    lines.append(f"- gain over the reference when both have seen them: {_gain_text(seen)}")
    shares = ", ".join(f"{scorecard.MEASURES[m]} {part}" for m, part in kept.items())
    lines.append(f"- when neither has: {_gain_text(unseen)}; kept: {shares}")
    lines.append(f"- ours without them against the reference with them: {_gain_text(test.gain(some[0], whole[1]))}")
    return [*lines, ""]


def _share(part: float | None, whole: float | None) -> str:
    """Return how much of a gain was kept, in words."""
    return "not defined" if part is None or not whole else f"{part / whole:.0%}"


def _persistence(split: Split) -> Floats:
    """Return the frequency of the event after as much rain as fell in the last six hours."""
    past = split.past.get("precipitation_mm")
    ahead = training.highest_ahead(past, DEFAULT_WINDOW)
    before = highest_before(past.astype(float), DEFAULT_WINDOW.length_h)
    now = highest_before(split.trial.weather.get("precipitation_mm").astype(float), DEFAULT_WINDOW.length_h)
    where = np.isfinite(ahead) & np.isfinite(past)
    fits = [Persistence.fit(before[where], (ahead[where] >= mm).astype(float)) for mm in THRESHOLDS_MM[:2]]
    return np.stack([fitted.probability(now) for fitted in fits], axis=-1)


def card_of(grid: Floats, threshold: int, test: Trial, alarm: float | None = None) -> tuple[Scorecard, float]:
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


def _gain_text(gain: dict[str, Measure]) -> str:
    return ", ".join(f"{scorecard.MEASURES[m]} {text_of(gain[m], '+.4f')}" for m in GAINS)


def text_of(measure: Measure, form: str = ".4f") -> str:
    """Return a measure with its interval."""
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


def write(path: Path, what: str, text: str) -> None:
    """Put a text between two marks of a page that is otherwise written by hand."""
    begin, end = f"<!-- {what} begin -->", f"<!-- {what} end -->"
    before, _, rest = path.read_text("utf-8").partition(begin)
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{rest.partition(end)[2]}", "utf-8")


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
