"""An archive at an address: a folder and an object store give what the archive of the home gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import Core
from core.__main__ import main
from core.adapters import stored_archive
from core.adapters.archive import ParquetArchive
from core.adapters.dask_workers import DaskWorkers
from core.adapters.stored_archive import StoredArchive
from core.domain.forecast import WINDOWS
from core.domain.weather import VARIABLES, Region
from core.errors import ConfigurationError, MissingExtraError, SourceUnavailable
from core.ports import silent
from core.quality.checks import check
from core.workflows.gathering import gather
from tests.adapters.object_store import Store, object_store
from tests.conftest import NOW
from tests.learnable_made import learnable_folder, opened

pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed <socket:ResourceWarning",
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning",
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Core:
    """Return a house whose archive holds what was ingested."""
    root = tmp_path_factory.mktemp("stored")
    folder = learnable_folder(root / "gauges", NOW)
    made = opened(root / "home", folder, dask="none:")
    made.ingest(folder, None)
    return made


@contextmanager
def stored(house: Core, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Serve the archive of a house from an object store, and let this process know it."""
    processed = house.settings.home / "data" / "processed"
    with object_store() as store:
        for path in processed.rglob("*.parquet"):
            store.objects[f"rain/old/{path.relative_to(processed).as_posix()}"] = path.read_bytes()
        for name, value in {
            "AWS_ACCESS_KEY_ID": "someone",
            "AWS_SECRET_ACCESS_KEY": "not a secret",
            "AWS_REGION": "eu-central-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": store.address,
        }.items():
            monkeypatch.setenv(name, value)
        yield store


@pytest.fixture(params=["folder", "s3"])
def url(request: pytest.FixtureRequest, house: Core, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "folder":
        yield str(house.settings.home / "data" / "processed")
        return
    with stored(house, monkeypatch):
        yield "s3://rain/old"


def test_it_gives_what_the_home_gives(house: Core, url: str) -> None:
    regions = house.regions()
    archive = StoredArchive(url, "gauges", (*regions, Region("elsewhere", "Elsewhere", "UTC", regions[0].locations)))
    assert archive.name == "gauges"
    assert archive.regions() == regions
    assert archive.periods() == ((datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 7, 31, 23, tzinfo=UTC)),)
    begin, end = datetime(2026, 5, 20, tzinfo=UTC), datetime(2026, 6, 20, 5, tzinfo=UTC)
    mine, theirs = (
        archive.hours(regions[0], begin, end),
        ParquetArchive(house.settings.home / "data" / "processed").read(regions[0], begin, end, "gauges"),
    )
    assert mine.observed().any()
    for name in VARIABLES:
        assert np.array_equal(mine.get(name), theirs.get(name), equal_nan=True)
    before = archive.hours(regions[0], datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 2, tzinfo=UTC))
    assert before.observed().shape == (8, 25)
    assert not before.observed().any()


def test_workers_read_it_themselves(house: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    with stored(house, monkeypatch) as store, DaskWorkers(count=2) as workers:
        monkeypatch.setattr("core.adapters.dask_workers.WORTH_S", 0.0)
        archive = StoredArchive("s3://rain/old", "gauges", house.regions())
        alone = gather(archive, (None, None), WINDOWS, check, silent)
        once = sum(asked.startswith("GET rain/old/") for asked in store.asked)
        shared = gather(archive, (None, None), WINDOWS, check, silent, workers=workers)
        again = sum(asked.startswith("GET rain/old/") for asked in store.asked) - once
    assert np.array_equal(alone.rows, shared.rows, equal_nan=True)
    assert np.array_equal(alone.truth_mm, shared.truth_mm, equal_nan=True)
    assert once >= 3
    assert again >= 3  # by the workers: this process reads no hour


def test_a_month_that_is_missing_begins_another_period(house: Core, tmp_path: Path) -> None:
    place = tmp_path / "gauges" / house.regions()[0].id
    place.mkdir(parents=True)
    for month in ("2025-11", "2025-12", "2026-01", "2026-03"):
        (place / f"{month}.parquet").touch()
    periods = StoredArchive(str(tmp_path), "gauges", house.regions()).periods()
    assert [(first.month, last.month, last.day, last.hour) for first, last in periods] == [
        (11, 1, 31, 23),
        (3, 3, 31, 23),
    ]


def test_what_cannot_be_read_is_refused_and_left_where_it_is(house: Core, tmp_path: Path) -> None:
    region = house.regions()[0]
    archive = StoredArchive(str(tmp_path), "gauges", (region,))
    with pytest.raises(SourceUnavailable, match="holds nothing of gauges"):
        archive.regions()
    path = tmp_path / "gauges" / region.id / "2026-05.parquet"
    path.parent.mkdir(parents=True)
    wanted = datetime(2026, 5, 3, tzinfo=UTC), datetime(2026, 5, 4, tzinfo=UTC)
    for data in (b"PAR1 no more", _bytes_of(pd.DataFrame({"location_id": ["S1"]}), tmp_path)):
        path.write_bytes(data)
        with pytest.raises(SourceUnavailable, match=r"2026-05\.parquet of the archive"):
            archive.hours(region, *wanted)
        assert path.read_bytes() == data


def _bytes_of(frame: pd.DataFrame, folder: Path) -> bytes:
    frame.to_parquet(folder / "frame")
    return (folder / "frame").read_bytes()


def test_a_store_that_refuses_is_a_source_that_is_not_there(house: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    with stored(house, monkeypatch) as store:
        store.gone = True
        with pytest.raises(SourceUnavailable, match="s3://rain/old"):
            StoredArchive("s3://rain/old", "gauges", house.regions()).regions()


def test_an_address_that_needs_another_library_says_which() -> None:
    with pytest.raises(MissingExtraError, match="gs://") as caught:
        stored_archive.opened("gs://bucket/prefix")
    assert "gcsfs" in caught.value.hint
    with pytest.raises(SourceUnavailable, match="cannot be opened"):
        stored_archive.opened("nothing-of-the-kind://x")


def test_the_command_line_hindcasts_an_archive(
    house: Core, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stations = str(house.settings.home.parent / "gauges" / "stations.csv")
    monkeypatch.setenv("CLOUDBURST_DASK", "none:")
    out = tmp_path / "hindcast.parquet"
    options = ["--archive", url, "--stations", stations]
    assert main(["hindcast", *options, "--from", "2026-07-01", "--to", "2026-07-10", "--out", str(out)]) == 0
    found = pd.read_parquet(out)
    assert found["location_id"].nunique() == 8
    assert len(found) == 8 * 24 * 10
    assert main(["hindcast", *options[:2], "--out", str(out)]) == 2  # the simulator has nothing stored
    assert "holds nothing of simulator" in capsys.readouterr().err


def test_neither_gauges_nor_an_archive_is_refused(house: Core) -> None:
    from core.bootstrap.labour import past_of

    with pytest.raises(ConfigurationError, match="No past"):
        past_of(house.forecasting.observing.source, None, None, "")
