"""Materialised features: kept as they were known, found as they were known, lost never."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.adapters.feature_store import ParquetFeatures
from core.domain.features import FeatureRows, first_known
from core.domain.units import to_hour64, to_second64
from core.errors import ConfigurationError, FeatureMismatch
from core.features import table
from core.ports import FeatureStore
from tests.weather_made import END, PLACES, weather

START = datetime(2026, 7, 31, 20, tzinfo=UTC)
NAMES = ("rain_1h_mm", "dew_point_c")
AT = ("gauges", "hills", "observed-2")
#: place, end of the hour, when it was known (hours after START), value of the first feature
Row = tuple[str, float, float, float]


def hour(h: float) -> datetime:
    return START + timedelta(hours=h)


def rows(*given: Row, names: tuple[str, ...] = NAMES) -> FeatureRows:
    values = np.array([[value, *([np.nan] * (len(names) - 1))] for *_, value in given], np.float32)
    return FeatureRows(
        names,
        np.array([place for place, *_ in given], object),
        np.array([to_hour64(hour(end)) for _, end, *_ in given], "datetime64[h]"),
        np.array([to_second64(hour(known)) for _, _, known, _ in given], "datetime64[s]"),
        values.reshape(len(given), len(names)),
    )


def told(found: FeatureRows) -> list[Row]:
    """Return rows as they were given; -1 for NaT and NaN."""

    def after(moment: np.datetime64) -> float:
        seconds = (moment.astype("datetime64[s]") - to_second64(START)).astype(float)
        return -1.0 if np.isnat(moment) else seconds / 3600

    return [
        (place, after(end), after(known), -1.0 if np.isnan(value) else float(value))
        for place, end, known, value in zip(
            found.location_id, found.valid_at, found.available_at, found.values[:, 0], strict=True
        )
    ]


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return ParquetFeatures(tmp_path / "features")


def files(tmp_path: Path) -> list[str]:
    return sorted(
        str(p.relative_to(tmp_path / "features")) for p in tmp_path.rglob("*") if p.suffix != ".lock" and p.is_file()
    )


def test_what_was_stored_is_read(store: FeatureStore) -> None:
    given = rows(("a", 0, 0.25, 1.5), ("b", 0, 0.25, np.nan), ("a", 1, 1.5, 0.0))
    assert store.store(*AT, given) == 3
    found = store.read(*AT, hour(0), hour(1))
    assert found.names == NAMES
    assert told(found) == [("a", 0, 0.25, 1.5), ("a", 1, 1.5, 0.0), ("b", 0, 0.25, -1)]
    assert found.values.dtype == np.float32
    assert np.isnan(found.values[:, 1]).all()
    assert told(store.read(*AT, hour(1), hour(9))) == [("a", 1, 1.5, 0.0)]


def test_days_are_files_of_their_version_source_and_region(store: FeatureStore, tmp_path: Path) -> None:
    store.store(*AT, rows(("a", 3, 3, 1), ("a", 4, 4, 2)))  # 23 h on 31 July and midnight of 1 August
    folder = "observed-2/gauges/hills"
    assert files(tmp_path) == [f"{folder}/2026-07-31.parquet", f"{folder}/2026-08-01.parquet"]
    frame = pd.read_parquet(tmp_path / "features" / folder / "2026-08-01.parquet")
    assert list(frame.columns) == ["location_id", "valid_at", "available_at", *NAMES]
    assert str(frame["valid_at"].dt.tz) == "UTC"
    assert frame["rain_1h_mm"].dtype == np.float32
    assert [value for *_, value in told(store.read(*AT, hour(0), hour(9)))] == [1, 2]
    assert told(store.as_of(*AT, hour(4))) == [("a", 4, 4, 2)]


def test_a_revision_that_came_later_is_not_seen_by_an_earlier_issue(store: FeatureStore) -> None:
    store.store(*AT, rows(("a", 1, 1.25, 10), ("a", 2, 2.25, 20)))
    store.store(*AT, rows(("a", 2, 5, 25)))
    found = {h: told(store.as_of(*AT, hour(h))) for h in (1, 1.25, 2, 2.25, 4.99, 5, 6)}
    first, second, revised = [("a", 1, 1.25, 10)], [("a", 2, 2.25, 20)], [("a", 2, 5, 25)]
    assert found == {1: [], 1.25: first, 2: first, 2.25: second, 4.99: second, 5: revised, 6: revised}
    assert len(store.read(*AT, hour(2), hour(2))) == 2


def test_a_late_revision_of_an_older_hour_hides_nothing_newer(store: FeatureStore) -> None:
    store.store(*AT, rows(("a", 1, 1, 10), ("a", 2, 2, 20), ("a", 1, 3, 11)))
    assert told(store.as_of(*AT, hour(4))) == [("a", 2, 2, 20)]


def test_of_hours_that_came_together_the_newest_is_taken(store: FeatureStore) -> None:
    store.store(*AT, rows(("a", 3, 5, 30), ("a", 1, 5, 10), ("a", 2, 5, 20)))
    assert told(store.as_of(*AT, hour(5))) == [("a", 3, 5, 30)]


def test_every_place_has_its_own_newest_row(store: FeatureStore) -> None:
    store.store(*AT, rows(("b", 1, 1, 1), ("a", 1, 1, 2), ("a", 2, 3, 3), ("c", 2, 9, 4)))
    assert told(store.as_of(*AT, hour(3))) == [("a", 2, 3, 3), ("b", 1, 1, 1)]


def test_a_row_of_yesterday_is_no_state_of_the_air_now(store: FeatureStore) -> None:
    store.store(*AT, rows(("a", 0, 0, 1)))
    assert len(store.as_of(*AT, hour(24))) == 1
    assert len(store.as_of(*AT, hour(25))) == 0


def test_pairs_are_joined_in_their_order_as_known_at_their_moments(store: FeatureStore) -> None:
    store.store(*AT, rows(("a", 1, 1.25, 10), ("a", 2, 2.25, 20), ("a", 2, 5, 25), ("b", 2, 2, 7)))
    wanted = [("a", 6), ("b", 1.5), ("a", 2), ("z", 6), ("b", 30), ("a", 2.25)]
    found = store.joined(
        *AT, np.array([p for p, _ in wanted], object), np.array([to_second64(hour(h)) for _, h in wanted])
    )
    missing = (-1, -1, -1)
    expected = [("a", 2, 5, 25), ("b", *missing), ("a", 1, 1.25, 10), ("z", *missing), ("b", *missing)]
    assert told(found) == [*expected, ("a", 2, 2.25, 20)]


def test_the_join_is_that_of_a_plain_loop(store: FeatureStore) -> None:
    rng = np.random.default_rng(7)
    ends = rng.integers(0, 40, 300)
    given = [
        (str(place), float(end), float(end + late), float(i))
        for i, (place, end, late) in enumerate(
            zip(rng.choice(list("abc"), 300), ends, rng.choice([0, 0.5, 1, 7, 30], 300), strict=True)
        )
    ]
    given = list({row[:3]: row for row in reversed(given)}.values())
    store.store(*AT, rows(*given))
    pairs = [(str(p), float(h)) for p, h in zip(rng.choice(list("abcd"), 200), rng.uniform(-3, 75, 200), strict=True)]
    found = store.joined(
        *AT, np.array([p for p, _ in pairs], object), np.array([to_second64(hour(h)) for _, h in pairs])
    )
    for (place, moment), row in zip(pairs, told(found), strict=True):
        second = np.floor(moment * 3600) / 3600
        known = [r for r in given if r[0] == place and r[2] <= second and second - r[1] <= 24]
        best = max(known, key=lambda r: (r[1], r[2]), default=(place, -1.0, -1.0, -1.0))
        assert row == best


def test_storing_twice_changes_nothing_and_a_row_stays_what_it_was(store: FeatureStore, tmp_path: Path) -> None:
    assert store.store(*AT, rows(("a", 1, 1, 10))) == 1
    (path,) = (tmp_path / "features").rglob("*.parquet")
    before = path.stat().st_mtime_ns
    assert store.store(*AT, rows(("a", 1, 1, 99))) == 0
    assert told(store.read(*AT, hour(1), hour(1))) == [("a", 1, 1, 10)]
    assert path.stat().st_mtime_ns == before  # nothing new, nothing written
    assert store.store(*AT, rows(("a", 1, 1, 99), ("a", 2, 2, 20))) == 1
    assert told(store.read(*AT, hour(1), hour(2))) == [("a", 1, 1, 10), ("a", 2, 2, 20)]


def test_versions_sources_and_regions_do_not_mix(store: FeatureStore) -> None:
    store.store(*AT, rows(("a", 1, 1, 10)))
    for other in (("simulator", *AT[1:]), ("gauges", "plains", AT[2]), (*AT[:2], "observed-3")):
        assert len(store.as_of(*other, hour(1))) == 0
        assert len(store.read(*other, hour(0), hour(9))) == 0
    nothing = store.joined(*AT[:2], "observed-3", np.array(["a"], object), np.array([to_second64(hour(1))]))
    assert (nothing.names, nothing.location_id.tolist(), np.isnat(nothing.valid_at).tolist()) == ((), ["a"], [True])
    assert store.joined(*AT, np.empty(0, object), np.empty(0, "datetime64[s]")).names == ()


def test_other_features_need_another_version(store: FeatureStore) -> None:
    store.store(*AT, rows(("a", 1, 1, 10)))
    for names in ((*NAMES, "cape_j_kg"), NAMES[::-1]):
        with pytest.raises(FeatureMismatch, match=r"cape_j_kg|order") as caught:
            store.store(*AT, rows(("a", 1, 2, 10), names=names))
        assert "another version" in caught.value.hint
    assert store.store(*AT[:2], "observed-3", rows(("a", 1, 1, 1), names=NAMES[::-1])) == 1
    assert told(store.as_of(*AT, hour(3))) == [("a", 1, 1, 10)]


def test_a_file_of_a_whole_month_is_read_beside_its_days(store: FeatureStore, tmp_path: Path) -> None:
    store.store(*AT, rows(("a", 4, 4, 1)))
    (day,) = (tmp_path / "features").rglob("*.parquet")
    day.rename(day.with_stem("2026-08"))
    store.store(*AT, rows(("b", 3, 3, 2), ("a", 5, 5, 3), ("a", 40, 40, 4)))
    assert told(store.read(*AT, hour(3), hour(5))) == [("a", 4, 4, 1), ("a", 5, 5, 3), ("b", 3, 3, 2)]
    assert told(store.as_of(*AT, hour(4))) == [("a", 4, 4, 1), ("b", 3, 3, 2)]
    assert told(store.as_of(*AT, hour(41))) == [("a", 40, 40, 4)]


def test_days_of_different_features_are_refused(store: FeatureStore) -> None:
    store.store(*AT, rows(("a", 3, 3, 1)))
    store.store(*AT, rows(("a", 4, 4, 2), names=NAMES[::-1]))
    with pytest.raises(FeatureMismatch, match="order"):
        store.as_of(*AT, hour(4))


def test_a_torn_file_is_put_aside_with_its_bytes_and_the_rest_is_read(store: FeatureStore, tmp_path: Path) -> None:
    store.store(*AT, rows(("a", 3, 3, 1), ("a", 4, 4, 2)))
    torn = tmp_path / "features/observed-2/gauges/hills/2026-08-01.parquet"
    torn.write_bytes(torn.read_bytes()[:-200])
    held = torn.read_bytes()
    assert told(store.as_of(*AT, hour(5))) == [("a", 3, 3, 1)]
    assert torn.with_suffix(".parquet.bad").read_bytes() == held
    assert store.store(*AT, rows(("a", 5, 5, 3))) == 1
    assert told(store.as_of(*AT, hour(5))) == [("a", 5, 5, 3)]


def test_writing_over_a_torn_file_keeps_its_bytes(store: FeatureStore, tmp_path: Path) -> None:
    store.store(*AT, rows(("a", 1, 1, 1)))
    (path,) = (tmp_path / "features").rglob("*.parquet")
    path.write_bytes(b"PAR1 rain")
    assert store.store(*AT, rows(("a", 2, 2, 2))) == 1
    assert path.with_suffix(".parquet.bad").read_bytes() == b"PAR1 rain"


def test_two_writers_lose_nothing(tmp_path: Path) -> None:
    together = threading.Barrier(4)

    def write(number: int) -> None:
        own = ParquetFeatures(tmp_path / "features")
        together.wait(timeout=20)
        for i in range(3):
            own.store(*AT, rows((f"p{number}", i, i, 10 * number + i), ("all", i, i + number, number)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    found = told(ParquetFeatures(tmp_path / "features").read(*AT, hour(0), hour(9)))
    assert len(found) == 24
    assert {row[3] for row in found if row[0] != "all"} == {10 * n + i for n in range(4) for i in range(3)}


def test_nothing_is_lost_when_writing_fails_in_the_middle(
    store: FeatureStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.store(*AT, rows(("a", 1, 1, 1)))
    before = files(tmp_path)

    def half(self: pd.DataFrame, path: Path, **_options: Any) -> None:
        Path(path).write_bytes(b"PAR1 and then the disk was full")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(pd.DataFrame, "to_parquet", half)
        with pytest.raises(ConfigurationError, match="No space left"):
            store.store(*AT, rows(("a", 2, 2, 2)))
    assert files(tmp_path) == before
    assert told(store.as_of(*AT, hour(3))) == [("a", 1, 1, 1)]


def test_no_rows_make_no_file(store: FeatureStore, tmp_path: Path) -> None:
    assert store.store(*AT, rows()) == 0
    assert not (tmp_path / "features").exists()


def test_rows_that_cannot_be_are_refused(store: FeatureStore) -> None:
    with pytest.raises(ValueError, match="before its hour"):
        rows(("a", 2, 1.99, 0))
    good = rows(("a", 2, 2, 0))
    with pytest.raises(ValueError, match="do not fit"):
        replace(good, names=("one",))
    with pytest.raises(ValueError, match="without times"):
        store.store(*AT, replace(good, available_at=np.array(["NaT"], "datetime64[s]")))


def test_a_row_is_known_when_all_that_it_rests_on_is() -> None:
    made = weather(6)
    seconds = made.valid_at.astype("datetime64[s]") + np.timedelta64(5, "m")
    available_at = np.tile(seconds, (len(PLACES), 1))
    available_at[1, 2] = seconds[4]  # one neighbour is two hours late
    available_at[2, 0] = np.datetime64("NaT")
    late = replace(made, available_at=available_at)
    expected = seconds.copy()
    expected[2:4] = seconds[4]
    np.testing.assert_array_equal(first_known(late, 3), expected)
    np.testing.assert_array_equal(first_known(made, 3), made.valid_at)
    # What is hidden at an issue does not delay the rows of that issue.
    issued_at = END - timedelta(minutes=120)
    known = first_known(late.as_known(issued_at), 3)
    assert (known[: 6 - 2] <= to_second64(issued_at)).all()
    lasting = replace(late, available_at=np.where(np.arange(6) == 0, seconds[5], seconds)[None].repeat(3, axis=0))
    assert first_known(lasting, 1).tolist() == [seconds[5], seconds[5], *seconds[2:]]


def test_features_of_an_issue_are_stored_and_found_again(store: FeatureStore) -> None:
    made = weather(400)
    built = table.build(made)
    last = slice(399, 400)
    served = FeatureRows.of(made, built.names, built.values[:, last], last, table.LOOKBACK_H)
    assert store.store("gauges", "hills", table.FEATURE_VERSION, served) == len(PLACES)
    found = store.as_of("gauges", "hills", table.FEATURE_VERSION, END + timedelta(minutes=20))
    assert found.names == table.feature_names()
    assert found.location_id.tolist() == [place.id for place in PLACES]
    np.testing.assert_array_equal(found.values, built.values[:, -1])
    some = slice(390, 400)
    many = FeatureRows.of(made, built.names, built.values[:, some], some, table.LOOKBACK_H)
    np.testing.assert_array_equal(many.values.reshape(3, 10, -1), built.values[:, some])
    assert many.location_id[10] == "b"
    assert many.valid_at[19] == to_hour64(END)
