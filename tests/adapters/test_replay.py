"""Stored windows: what is in a file, when it was known, and every file that is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.adapters.replay import StoredWindow, read_windows
from core.adapters.replay_tables import read_tables
from core.domain.units import from_datetime64
from core.domain.weather import Region
from core.errors import CloudburstError, InsufficientData, SchemaMismatch, SourceUnavailable
from tests.conftest import SHARED
from tests.replay_made import BEGIN, KNOWN, MAPS, archived, frame, table


def windows(path: Path, *known: Region) -> tuple[StoredWindow, ...]:
    return read_windows(path, lambda: known, MAPS)


@pytest.mark.parametrize(
    ("east", "north", "direction"), [(0, -5, 0), (-5, 0, 90), (0, 5, 180), (5, 0, 270), (3, 4, 216.87)]
)
def test_wind_components_become_the_direction_the_wind_comes_from(
    tmp_path: Path, east: float, north: float, direction: float
) -> None:
    rows = read_tables(table(tmp_path / "w.parquet", frame(3).assign(wind_u_ms=east, wind_v_ms=north)))
    assert rows["wind_speed_ms"].iloc[0] == pytest.approx(5)
    assert rows["wind_direction_deg"].iloc[0] % 360 == pytest.approx(direction, abs=0.01)
    assert "wind_u_ms" not in rows


@pytest.mark.parametrize(("dew_point_c", "humidity_pct"), [(20.0, 100.0), (10.0, 52.5), (20.1, 100.0), (22.0, np.nan)])
def test_humidity_follows_from_the_dew_point_unless_that_is_impossible(
    tmp_path: Path, dew_point_c: float, humidity_pct: float
) -> None:
    # 52.5 %: vapour pressures 12.27 and 23.37 hPa (WMO-No. 8, table of saturation over water).
    rows = read_tables(table(tmp_path / "w.parquet", frame(3).assign(temperature_c=20.0, dew_point_c=dew_point_c)))
    assert rows["relative_humidity_pct"].iloc[0] == pytest.approx(humidity_pct, abs=0.1, nan_ok=True)


def test_places_with_the_same_period_are_one_window_and_others_stand_alone(tmp_path: Path) -> None:
    later, elsewhere = frame(100, BEGIN + timedelta(days=90)), frame(50, place=(-30.2, -60.5))
    found = windows(table(tmp_path / "w.parquet", frame(), frame(place=(30.6, 78.6)), later, elsewhere), KNOWN)
    assert [w.id for w in found] == ["2013-06-01-2-places", "2013-06-01-30.200S-60.500W", "2013-08-30-30.500N-78.500E"]
    assert [len(w.region.locations) for w in found] == [2, 1, 1]
    both, far, late = found
    assert both.region.locations[0].name == "Square 30.500N 78.500E"
    assert (both.region.time_zone, far.region.time_zone) == ("Asia/Kolkata", "UTC")
    assert both.periods() == ((BEGIN, BEGIN + timedelta(hours=239)),)
    assert late.begin == BEGIN + timedelta(days=90)
    assert np.isnan(far.region.locations[0].elevation_m)
    assert 300 < both.region.locations[0].elevation_m < 3000


def test_an_outage_belongs_to_the_window_and_is_missing_and_a_day_of_nothing_ends_it(tmp_path: Path) -> None:
    rows = frame(200)
    (outage,) = windows(table(tmp_path / "a.parquet", rows.drop(index=range(50, 60))))
    hours = outage.hours(outage.region, BEGIN, BEGIN + timedelta(hours=199))
    assert np.isnan(hours.get("precipitation_mm")[0, 50:60]).all()
    assert np.isfinite(hours.get("precipitation_mm")[0, :50]).all()
    assert len(windows(table(tmp_path / "b.parquet", rows.drop(index=range(50, 80))))) == 2


def test_two_windows_never_share_a_name(tmp_path: Path) -> None:
    pairs = [frame(n, place=(30 + n / 1000, 78 + i)) for n in (40, 60) for i in range(2)]
    ids = [w.id for w in windows(table(tmp_path / "w.parquet", *pairs))]
    assert ids == ["2013-06-01-2-places", "2013-06-01-2-places~2"]


def test_hours_outside_the_window_are_missing(tmp_path: Path) -> None:
    (window,) = windows(table(tmp_path / "w.parquet"))
    hours = window.hours(window.region, BEGIN - timedelta(hours=10), BEGIN + timedelta(hours=5))
    assert not hours.observed()[0, :10].any()
    assert hours.observed()[0, 10:].all()
    assert hours.source == "replay"
    assert hours.available_at is None


def test_an_archive_is_read_with_its_origin_and_the_moments_of_its_values(tmp_path: Path) -> None:
    folder, stored = archived(tmp_path, late_h=2)
    (window,) = windows(folder, KNOWN)
    assert (window.name, window.served_as) == ("replay:gauges", ("gauges", KNOWN.id))
    assert [p.id for p in window.region.locations] == ["a", "b", "c"]
    hours = window.hours(window.region, *window.periods()[0])
    for name, values in stored.values.items():
        np.testing.assert_array_equal(hours.get(name), values)
    at = BEGIN + timedelta(hours=100)
    assert set(hours.as_known(at).last_observed()) == {at - timedelta(hours=2)}
    assert from_datetime64(hours.valid_at[-1]) == window.end


@pytest.mark.parametrize("product", ["open-meteo", "open-meteo-archive", "open-meteo-previous-runs-day1"])
def test_a_product_of_a_source_is_served_like_the_source_and_keeps_its_name(tmp_path: Path, product: str) -> None:
    (window,) = windows(archived(tmp_path, source=product)[0], KNOWN)
    assert (window.name, window.served_as) == (f"replay:{product}", ("open-meteo", KNOWN.id))


def test_one_month_of_an_archive_is_a_window_too_and_simulated_weather_says_so(tmp_path: Path) -> None:
    folder, _ = archived(tmp_path, source="simulator")
    (window,) = windows(folder / "2013-06.parquet", KNOWN)
    hours = window.hours(window.region, *window.periods()[0])
    assert (hours.source, hours.season_day) == ("replay:simulator", 210)


def test_a_value_said_to_be_known_before_its_hour_ended_is_known_at_its_end(tmp_path: Path) -> None:
    early = frame(5).assign(available_at=lambda f: f["valid_at"] - pd.Timedelta(hours=3))
    early.loc[4, "available_at"] = pd.NaT
    (window,) = windows(table(tmp_path / "w.parquet", early))
    hours = window.hours(window.region, *window.periods()[0])
    assert (hours.available_at == hours.valid_at.astype("datetime64[s]")).all()


REFUSED: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], type[CloudburstError], str]] = {
    "no valid_at": (lambda f: f.drop(columns="valid_at"), SchemaMismatch, "lacks the column valid_at"),
    "no position": (lambda f: f.drop(columns="latitude"), SchemaMismatch, "lacks the column latitude"),
    "no zone": (lambda f: f.assign(valid_at=f.valid_at.dt.tz_localize(None)), SchemaMismatch, "without a time zone"),
    "text time": (lambda f: f.assign(valid_at=f.valid_at.astype(str)), SchemaMismatch, "not of times"),
    "half hour": (lambda f: f.assign(valid_at=f.valid_at + pd.Timedelta(minutes=30)), SchemaMismatch, "full hour"),
    "no time": (lambda f: f.assign(valid_at=f.valid_at.where(f.index != 3)), SchemaMismatch, "missing"),
    "text value": (lambda f: f.assign(dew_point_c="wet"), SchemaMismatch, "not of numbers"),
    "bytes": (lambda f: f.assign(dew_point_c=b"\x80\x04."), SchemaMismatch, "not of numbers"),
    "pole": (lambda f: f.assign(latitude=95.0), SchemaMismatch, "latitude outside"),
    "no latitude": (lambda f: f.assign(latitude=np.nan), SchemaMismatch, "latitude outside"),
    "no rows": (lambda f: f.iloc[:0], InsufficientData, "no stored hours"),
    "one variable": (lambda f: f[["latitude", "longitude", "valid_at", "dew_point_c"]], SchemaMismatch, "fewer than"),
    "number id": (lambda f: f.assign(location_id=7), SchemaMismatch, "not of texts"),
    "no id": (lambda f: f.assign(location_id=f.valid_at.astype(str).where(f.index > 3)), SchemaMismatch, "without"),
    "no origin": (lambda f: f.assign(location_id="a"), SchemaMismatch, "origin is not known"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_table_that_is_not_what_it_must_be_is_refused_by_file_and_reason(tmp_path: Path, case: str) -> None:
    change, kind, words = REFUSED[case]
    path = table(tmp_path / "stored.parquet", change(frame(20)))
    with pytest.raises(kind, match=words) as refusal:
        windows(path, KNOWN)
    assert "stored.parquet" in refusal.value.message
    assert refusal.value.hint


def test_what_is_no_parquet_and_what_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"\x80\x04cos\nsystem\n")
    with pytest.raises(CloudburstError, match=r"a\.parquet"):
        windows(tmp_path / "a.parquet")
    whole = table(tmp_path / "b.parquet").read_bytes()
    for cut in (10, len(whole) // 2, len(whole) - 5):
        (tmp_path / "b.parquet").write_bytes(whole[:cut])
        with pytest.raises(CloudburstError, match=r"b\.parquet"):
            windows(tmp_path / "b.parquet")
    with pytest.raises(SourceUnavailable, match="no file"):
        windows(tmp_path / "nowhere.parquet")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InsufficientData, match="no stored hours"):
        windows(tmp_path / "empty")


def test_an_archive_of_unknown_places_is_refused(tmp_path: Path) -> None:
    folder, _ = archived(tmp_path)
    with pytest.raises(SchemaMismatch, match="not known"):
        windows(folder)
    moved = Region(KNOWN.id, "Moved", "UTC", KNOWN.locations[:2])
    with pytest.raises(SchemaMismatch, match="1 places that Moved has not, such as c"):
        windows(folder, moved)


def test_tables_of_two_kinds_in_one_folder_are_refused(tmp_path: Path) -> None:
    table(tmp_path / "gauges" / KNOWN.id / "a.parquet", frame(20))
    table(tmp_path / "gauges" / KNOWN.id / "b.parquet", frame(20).assign(location_id="a"))
    with pytest.raises(SchemaMismatch, match="mixes"):
        windows(tmp_path / "gauges" / KNOWN.id, KNOWN)


@pytest.mark.data
def test_the_windows_around_himalayan_cloudbursts_are_all_there() -> None:
    folder = SHARED / "himalaya_era5"
    if not folder.is_dir():
        pytest.skip("the shared data are not beside the project (../shared/data/himalaya_era5)")
    found = windows(folder)
    rows = read_tables(folder)
    assert sum(len(w.region.locations) for w in found) == 22
    hours = sum(len(w.region.locations) * ((w.end - w.begin) / timedelta(hours=1) + 1) for w in found)
    assert hours == len(rows) == 7824
    rain = max(float(np.nanmax(w.hours(w.region, *w.periods()[0]).get("precipitation_mm"))) for w in found)
    assert rain == pytest.approx(19.23, abs=0.01)
