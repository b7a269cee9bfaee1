"""An archive at an address, read only: SOURCE/REGION/MONTH.parquet below a folder of this or of another machine.

`s3://BUCKET/PREFIX` is read by Arrow's own client through fsspec, which needs no further library; the variables of AWS
say who asks and where (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT_URL`). Other addresses
are read by whatever fsspec has for them.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from core.adapters.frames import from_frame
from core.domain.units import as_utc, hour_axis
from core.domain.weather import HourlyWeather, Region
from core.errors import MissingExtraError, SourceUnavailable

KEY = ("location_id", "valid_at")


class StoredArchive:
    """Port `WeatherArchive` over partitions that `ingest` wrote into some home.

    Parameters
    ----------
    url
        Folder of the archive: a path, `s3://BUCKET/PREFIX`, or another address that fsspec knows.
    source
        Whose hours are read.
    regions
        Where places stand: an archive knows their ids only. Those without a partition are left out.
    """

    def __init__(self, url: str, source: str, regions: Sequence[Region]) -> None:
        self._url = url.rstrip("/")
        self._source = source
        self._regions = tuple(regions)

    @property
    def name(self) -> str:
        """Provenance."""
        return self._source

    def regions(self) -> tuple[Region, ...]:
        """Return the regions that have a partition.

        Raises
        ------
        SourceUnavailable
            If the archive cannot be read or holds none of them.
        """
        stored = tuple(region for region in self._regions if self._months(region.id))
        if not stored:
            raise SourceUnavailable(
                f"The archive {self._url} holds nothing of {self._source}.",
                hint="Name the folder that holds SOURCE/REGION/MONTH.parquet, such as data/processed.",
            )
        return stored

    def periods(self) -> tuple[tuple[datetime, datetime], ...]:
        """Return first and last hour of every run of months that some region has.

        Raises
        ------
        SourceUnavailable
            If the archive cannot be read.
        """
        months = sorted({month for region in self._regions for month in self._months(region.id)})
        runs: list[list[datetime]] = []
        for month in (datetime.strptime(name, "%Y-%m").replace(tzinfo=UTC) for name in months):
            if runs and _after(runs[-1][-1]) == month:
                runs[-1].append(month)
            else:
                runs.append([month])
        return tuple((run[0], _after(run[-1]) - timedelta(hours=1)) for run in runs)

    def hours(self, region: Region, start: datetime, end: datetime) -> HourlyWeather:
        """Return the stored hours of `region`, NaN where there are none.

        Raises
        ------
        SourceUnavailable
            If a partition cannot be read: unlike in a home, nothing is put aside, and nothing is left out.
        """
        first, last = f"{as_utc(start):%Y-%m}", f"{as_utc(end):%Y-%m}"
        wanted = [month for month in self._months(region.id) if first <= month <= last]
        axis = hour_axis(start, end)
        if not wanted:
            return HourlyWeather(region.locations, axis, {}, self._source)
        frames = [self._frame(f"{region.id}/{month}.parquet") for month in wanted]
        return from_frame(pd.concat(frames, ignore_index=True), region.locations, axis, self._source)

    def _months(self, region_id: str) -> list[str]:
        files, root = opened(self._url)
        try:
            found = files.ls(f"{root}/{self._source}/{region_id}", detail=False)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._unreadable(region_id, error) from None
        names = [str(path).rstrip("/").rpartition("/")[2] for path in found]
        return sorted(name.removesuffix(".parquet") for name in names if name.endswith(".parquet"))

    def _frame(self, path: str) -> pd.DataFrame:
        files, root = opened(self._url)
        try:
            data = files.cat_file(f"{root}/{self._source}/{path}")
            frame = pd.read_parquet(io.BytesIO(data), page_checksum_verification=True)
            missing = [name for name in KEY if name not in frame]
            if missing:
                raise ValueError(f"it has no column {missing[0]}")
        except Exception as error:  # flipped bits make errors of many types
            raise self._unreadable(path, error) from None
        return frame

    def _unreadable(self, path: str, error: Exception) -> SourceUnavailable:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
        return SourceUnavailable(
            f"{path} of the archive {self._url} cannot be read: {why}.",
            hint="Is it still there, and may this process read it?",
        )


def opened(url: str) -> tuple[Any, str]:
    """Return the file system of an address and the path in it.

    Raises
    ------
    MissingExtraError
        If a library is missing that fsspec needs for it.
    SourceUnavailable
        If the address is not understood.
    """
    import fsspec

    try:
        if url.startswith("s3://"):
            return _s3(), url.removeprefix("s3://")
        files, path = fsspec.url_to_fs(url)
    except ImportError as error:
        raise MissingExtraError(
            f"A library for {urlsplit(url).scheme}:// is not installed.", hint=f"{error} (pip install)."
        ) from None
    except (ValueError, OSError) as error:
        raise SourceUnavailable(
            f"The archive {url} cannot be opened: {type(error).__name__}.", hint="Name a folder or s3://BUCKET/PREFIX."
        ) from None
    return files, str(path)


def _s3() -> Any:
    from fsspec.implementations.arrow import ArrowFSWrapper
    from pyarrow.fs import S3FileSystem

    endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", ""))
    options = {"endpoint_override": endpoint.netloc, "scheme": endpoint.scheme} if endpoint.netloc else {}
    return ArrowFSWrapper(S3FileSystem(**options, connect_timeout=10, request_timeout=60))


def _after(month: datetime) -> datetime:
    return (month + timedelta(days=31)).replace(day=1)
