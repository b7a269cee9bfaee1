"""The archive gives back what was stored, keeps the newest, and loses nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.adapters import archive as module
from core.adapters.archive import ParquetArchive
from core.adapters.files import locked
from core.domain.units import hour_axis, to_second64
from core.domain.weather import Flag, HourlyWeather, Location, Region
from core.errors import ConfigurationError
from core.quality.checks import check

START = datetime(2026, 7, 31, 20, tzinfo=UTC)
PLACES = (Location("007", "Bond", 30.0, 78.0, 500.0), Location("b", "B", 31.0, 77.0))
REGION = Region("hills", "Hills", "Asia/Kolkata", PLACES)
NAN = np.nan


def hour(h: float) -> datetime:
    return START + timedelta(hours=h)


def weather(rain: list[list[float]], start: float = 0, **more: Any) -> HourlyWeather:
    values = {"precipitation_mm": np.array(rain, np.float32)}
    values |= {k: np.array(v, np.float32) for k, v in more.pop("others", {}).items()}
    return HourlyWeather(PLACES, hour_axis(hour(start), hour(start + len(rain[0]) - 1)), values, "gauges", **more)


def rain_of(archive: ParquetArchive, first: float, last: float, region: Region = REGION) -> list[list[float]]:
    found = archive.read(region, hour(first), hour(last), "gauges").get("precipitation_mm")
    return np.where(np.isnan(found), -1, found).tolist()


@pytest.fixture
def archive(tmp_path: Path) -> ParquetArchive:
    return ParquetArchive(tmp_path / "processed")


def files(tmp_path: Path) -> list[str]:
    return sorted(
        str(p.relative_to(tmp_path / "processed")) for p in tmp_path.rglob("*") if p.suffix != ".lock" and p.is_file()
    )


def test_what_was_stored_is_read_with_its_gaps(archive: ParquetArchive) -> None:
    late = to_second64(START) + (3600 * np.arange(3) + np.array([[60], [7200]])).astype("timedelta64[s]")
    given = weather(
        [[0.1, NAN, 3], [NAN, NAN, 12.3]], others={"temperature_c": [[20, 21, NAN], [NAN, NAN, 5]]}, available_at=late
    )
    assert archive.store("hills", check(given)) == 4
    found = archive.read(REGION, hour(-1), hour(3), "gauges")
    assert (found.locations, found.source) == (PLACES, "gauges")
    assert found.valid_at.tolist() == hour_axis(hour(-1), hour(3)).tolist()
    for name, array in given.values.items():
        np.testing.assert_array_equal(found.get(name)[:, 1:4], array)
        assert np.isnan(found.get(name)[:, [0, 4]]).all()
    assert found.available_at is not None
    seen = given.observed()
    np.testing.assert_array_equal(found.available_at[:, 1:4][seen], late[seen])


def test_flags_are_stored_beside_the_raw_values(archive: ParquetArchive, tmp_path: Path) -> None:
    archive.store("hills", check(weather([[5, 999], [NAN, 1]], others={"temperature_c": [[20, NAN], [NAN, 90]]})))
    (path,) = (tmp_path / "processed" / "gauges" / "hills").glob("*.parquet")
    frame = pd.read_parquet(path)
    assert frame["location_id"].tolist() == ["007", "007", "b"]
    assert frame["precipitation_mm"].tolist() == [5, 999, 1]
    assert frame["precipitation_mm_flag"].tolist() == [Flag.PASS, Flag.FAIL, Flag.PASS]
    assert frame["temperature_c_flag"].tolist() == [Flag.PASS, Flag.MISSING, Flag.FAIL]


def test_the_newest_value_wins_and_the_others_stay(archive: ParquetArchive) -> None:
    archive.store("hills", check(weather([[1, 2, 3], [4, 5, 6]])))
    archive.store("hills", check(weather([[20, 30], [NAN, 60]], start=1)))
    assert rain_of(archive, 0, 2) == [[1, 20, 30], [4, 5, 60]]
    assert [part["rows"] for part in archive.extent()] == [6]


def test_hours_that_nobody_gave_again_stay_as_they_are(archive: ParquetArchive, tmp_path: Path) -> None:
    archive.store("hills", check(weather([[1, 2, 3], [4, 5, 6]])))
    archive.store("hills", check(weather([[30], [NAN]], start=2, others={"temperature_c": [[20], [NAN]]})))
    (path,) = (tmp_path / "processed" / "gauges" / "hills").glob("*.parquet")
    frame = pd.read_parquet(path)
    assert frame["precipitation_mm"].tolist() == [1, 2, 30, 4, 5, 6]
    assert frame["precipitation_mm_flag"].tolist() == [Flag.PASS] * 6
    assert frame["temperature_c_flag"].tolist() == [Flag.MISSING] * 2 + [Flag.PASS] + [Flag.MISSING] * 3
    assert frame["temperature_c_flag"].dtype == np.uint8
    assert [str(frame[name].dt.tz) for name in ("valid_at", "available_at")] == ["UTC", "UTC"]


def test_storing_twice_changes_nothing(archive: ParquetArchive) -> None:
    for _ in range(2):
        archive.store("hills", check(weather([[1, 2, 3], [4, 5, 6]])))
    assert rain_of(archive, 0, 2) == [[1, 2, 3], [4, 5, 6]]
    assert [part["rows"] for part in archive.extent()] == [6]


def test_months_are_files_and_reading_joins_them(archive: ParquetArchive, tmp_path: Path) -> None:
    archive.store("hills", check(weather([list(range(8)), [NAN] * 8])))  # 20 h on 31 July to 3 h on 1 August
    assert files(tmp_path) == ["gauges/hills/2026-07.parquet", "gauges/hills/2026-08.parquet"]
    assert rain_of(archive, 0, 7)[0] == list(range(8))
    assert rain_of(archive, 4, 5)[0] == [4, 5]


def test_months_are_those_of_utc_whatever_the_zone_of_the_question(archive: ParquetArchive) -> None:
    archive.store("hills", check(weather([list(range(8)), [NAN] * 8])))
    india = timezone(timedelta(hours=5, minutes=30))
    found = archive.read(REGION, hour(0).astimezone(india), hour(7).astimezone(india), "gauges")
    np.testing.assert_array_equal(found.get("precipitation_mm")[0], np.arange(8))


def test_sources_and_regions_do_not_mix(archive: ParquetArchive) -> None:
    archive.store("hills", check(weather([[1], [2]])))
    assert not archive.read(REGION, hour(0), hour(0), "simulator").observed().any()
    plains = Region("plains", "Plains", "UTC", PLACES)
    assert rain_of(archive, 0, 0, plains) == [[-1], [-1]]


def test_places_are_found_by_id_and_strangers_are_left_out(archive: ParquetArchive) -> None:
    archive.store("hills", check(weather([[1], [2]])))
    some = Region("hills", "Hills", "UTC", (Location("new", "N", 0, 0), PLACES[1]))
    assert rain_of(archive, 0, 0, some) == [[-1], [2]]


def test_extent_tells_every_partition(archive: ParquetArchive) -> None:
    assert archive.extent() == ()
    archive.store("hills", check(weather([[1] * 8, [NAN] * 8])))
    archive.store("coast", check(weather([[1], [2]])))
    assert archive.extent() == (
        {"source": "gauges", "region": "coast", "month": "2026-07", "rows": 2},
        {"source": "gauges", "region": "hills", "month": "2026-07", "rows": 4},
        {"source": "gauges", "region": "hills", "month": "2026-08", "rows": 4},
    )


def test_nothing_observed_stores_nothing(archive: ParquetArchive, tmp_path: Path) -> None:
    assert archive.store("hills", check(weather([[NAN, NAN], [NAN, NAN]]))) == 0
    assert files(tmp_path) == []


def test_variables_may_come_later(archive: ParquetArchive) -> None:
    archive.store("hills", check(weather([[1, 2], [3, 4]])))
    archive.store("hills", check(weather([[5], [6]], start=2, others={"cape_j_kg": [[700], [800]]})))
    assert rain_of(archive, 0, 2) == [[1, 2, 5], [3, 4, 6]]
    found = archive.read(REGION, hour(0), hour(2), "gauges").get("cape_j_kg")
    np.testing.assert_array_equal(found, [[NAN, NAN, 700], [NAN, NAN, 800]])


def test_two_writers_lose_nothing(tmp_path: Path) -> None:
    together = threading.Barrier(4)

    def write(number: int) -> None:
        own = ParquetArchive(tmp_path / "processed")
        together.wait(timeout=20)
        for i in range(3):
            place = [[NAN], [NAN]]
            place[number % 2] = [float(10 * number + i)]
            own.store("hills", check(weather(place, start=3 * number + i - 12)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    found = rain_of(ParquetArchive(tmp_path / "processed"), -12, -1)
    assert found[0] == [0, 1, 2, -1, -1, -1, 20, 21, 22, -1, -1, -1]
    assert found[1] == [-1, -1, -1, 10, 11, 12, -1, -1, -1, 30, 31, 32]


def test_nothing_is_lost_when_writing_fails_in_the_middle(
    archive: ParquetArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.store("hills", check(weather([[1, 2, 3], [4, 5, 6]])))
    before = files(tmp_path)

    def half(self: pd.DataFrame, path: Path, **_options: Any) -> None:
        Path(path).write_bytes(b"PAR1 and then the disk was full")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(pd.DataFrame, "to_parquet", half)
        with pytest.raises(ConfigurationError, match="No space"):
            archive.store("hills", check(weather([[9], [9]])))
    assert files(tmp_path) == before
    assert rain_of(archive, 0, 2) == [[1, 2, 3], [4, 5, 6]]
    archive.store("hills", check(weather([[9], [9]])))  # and the lock is free again
    assert rain_of(archive, 0, 0) == [[9], [9]]


def test_no_flipped_bit_becomes_another_value(archive: ParquetArchive, tmp_path: Path) -> None:
    archive.store("hills", check(weather([[1, 2, 3], [4, 5, 6]])))
    (path,) = tmp_path.rglob("*.parquet")
    data = path.read_bytes()
    for at in range(4, 400, 3):
        path.write_bytes(data[:at] + bytes([data[at] ^ 16]) + data[at + 1 :])
        assert rain_of(archive, 0, 2) in ([[1, 2, 3], [4, 5, 6]], [[-1, -1, -1], [-1, -1, -1]])
        path.with_suffix(".parquet.bad").unlink(missing_ok=True)


def test_a_disk_that_does_not_answer_says_nothing_about_a_partition(
    archive: ParquetArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.store("hills", check(weather([[1, 2, 3], [4, 5, 6]])))
    before = files(tmp_path)

    def unanswered(_path: Path) -> bytes:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", unanswered)
        assert rain_of(archive, 0, 0) == [[-1], [-1]]
        with pytest.raises(ConfigurationError, match="Input/output error"):
            archive.store("hills", check(weather([[9], [9]])))
    assert files(tmp_path) == before
    assert rain_of(archive, 0, 2) == [[1, 2, 3], [4, 5, 6]]


def test_one_that_hangs_while_it_writes_keeps_nobody_for_ever(
    archive: ParquetArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.store("hills", check(weather([[1], [4]])))
    (path,) = tmp_path.rglob("*.parquet")
    monkeypatch.setattr(module, "PATIENCE_S", 0.01)
    with (
        locked(path.with_suffix(".lock"), 1, "the archive"),
        pytest.raises(ConfigurationError, match="Somebody else has been writing the archive"),
    ):
        archive.store("hills", check(weather([[2], [5]])))
    assert rain_of(archive, 0, 0) == [[1], [4]]


def test_what_another_put_right_meanwhile_is_not_put_aside(
    archive: ParquetArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.store("hills", check(weather([[1], [4]])))
    (path,) = tmp_path.rglob("*.parquet")
    right = path.read_bytes()
    path.write_bytes(right[:100])
    read = pd.read_parquet

    def late(*asked: Any, **more: Any) -> pd.DataFrame:
        path.write_bytes(right)
        return read(*asked, **more)

    with monkeypatch.context() as patched:
        patched.setattr(pd, "read_parquet", late)
        assert rain_of(archive, 0, 0) == [[-1], [-1]]
    assert rain_of(archive, 0, 0) == [[1], [4]]


def test_every_damaged_table_is_kept(archive: ParquetArchive, tmp_path: Path) -> None:
    for damage in (b"one", b"two"):
        archive.store("hills", check(weather([[1], [4]])))
        (path,) = tmp_path.rglob("*.parquet")
        path.write_bytes(damage)
        rain_of(archive, 0, 0)
    assert [path.with_suffix(name).read_bytes() for name in (".parquet.bad", ".parquet.bad.2")] == [b"one", b"two"]


def test_a_table_of_something_else_is_put_aside(archive: ParquetArchive, tmp_path: Path) -> None:
    archive.store("hills", check(weather([[1], [4]])))
    (path,) = tmp_path.rglob("*.parquet")
    pd.DataFrame({"rain": [1.0]}).to_parquet(path)
    assert rain_of(archive, 0, 0) == [[-1], [-1]]
    assert path.with_suffix(".parquet.bad").exists()


def test_extent_passes_over_a_partition_that_cannot_be_read(archive: ParquetArchive, tmp_path: Path) -> None:
    archive.store(REGION.id, check(weather([[1.0, 2.0], [0.0, 0.0]])))
    whole = archive.extent()
    broken = next(tmp_path.rglob("*.parquet")).parent / "2001-01.parquet"
    broken.write_bytes(b"PAR1xx")
    assert archive.extent() == whole
