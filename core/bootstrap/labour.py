"""Long work of the command line: from which past, and who shares it; never inside the process that serves pages."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.adapters.dask_workers import DaskWorkers
from core.adapters.gauges.folder import GaugeFolder
from core.adapters.gauges.stations import read_stations
from core.adapters.stored_archive import StoredArchive
from core.domain.weather import Region
from core.errors import ConfigurationError
from core.ports import ALONE, WeatherArchive, WeatherSource, Workers
from core.settings import Settings


@dataclass(frozen=True)
class HindcastRequest:
    """Which gauges or archive, which period (both ends included), which model (None: the champion), where to write."""

    folder: Path | None
    stations: Path | None
    begin: datetime
    end: datetime
    out: Path
    version: str | None = None
    archive: str = ""


def workers_of(settings: Settings) -> AbstractContextManager[Workers]:
    """Return who shares the work of a command, for as long as it lasts; nothing is started before it is worth it.

    Raises
    ------
    ConfigurationError
        If the setting is not understood.
    """
    if settings.dask == "none:":
        return nullcontext(ALONE)
    local = re.fullmatch(r"local:([1-9]\d{0,2})?", settings.dask)
    if local:
        return DaskWorkers(count=int(local[1]) if local[1] else None)
    if re.fullmatch(r"(tcp|tls)://[^/@\s]+:\d+", settings.dask):
        return DaskWorkers(settings.dask)
    raise ConfigurationError(
        f"CLOUDBURST_DASK={settings.dask!r} is not understood.",
        hint="Use local:, local:N, tcp://HOST:PORT, tls://HOST:PORT or none:.",
    )


def trainers_of(settings: Settings) -> Workers:
    """Return who shares the fits of a retraining, which runs in a process of its own with bounds of memory and time.

    Only a cluster elsewhere does: processes of this machine would each take the memory that one training may take.

    Raises
    ------
    ConfigurationError
        If the setting is not understood.
    """
    workers = workers_of(settings)
    return workers if isinstance(workers, DaskWorkers) and "://" in settings.dask else ALONE


def past_of(source: WeatherSource, gauges: Path | None, stations: Path | None, archive: str) -> WeatherArchive:
    """Return the past that a command names: a folder of gauges, or an archive at an address.

    The places of an archive are those of a table of stations where one is named, else those of the house's own source.

    Raises
    ------
    ConfigurationError
        If neither is named.
    SourceError, DataError
        If the table of stations or the regions of the source cannot be read.
    """
    if gauges is not None:
        return GaugeFolder(gauges, stations)
    if not archive:
        raise ConfigurationError("No past is named.", hint="Name --gauges DIR or --archive URL.")
    if stations is None:
        return StoredArchive(archive, source.name, source.regions())
    places = tuple(read_stations(stations).values())
    return StoredArchive(archive, "gauges", (Region("gauges", f"Gauges of {stations.name}", "UTC", places),))


def outside(out: Path, folder: Path, stations: Path | None) -> None:
    """Refuse to write among what is read.

    Raises
    ------
    ConfigurationError
        If the file would lie among the observations.
    """
    target = out.resolve()
    if target.is_relative_to(folder.resolve()) or (stations is not None and target == stations.resolve()):
        raise ConfigurationError(f"{out.name} would lie among the observations.", hint="Name another folder for it.")
