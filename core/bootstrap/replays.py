"""Replays behind the doors: which stored windows are there, and what would have been said then."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from core.adapters import hindcast_file
from core.adapters.maps import load_regions
from core.adapters.replay import StoredWindow, read_windows, source_of
from core.domain.forecast import RegionForecast
from core.domain.weather import Region
from core.errors import CloudburstError, ConfigurationError
from core.ports import ReplayWindow
from core.settings import PROJECT_ROOT
from core.workflows.forecasting import Issue
from core.workflows.replaying import Replaying, rows_of

#: Files that stay read.
_KEPT = 4

_State = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Replays:
    """Stored windows of one folder, or of any file that the command line names.

    Parameters
    ----------
    folder
        What the dashboard offers: its `*.parquet`, and archives laid out as SOURCE/REGION/*.parquet.
    live
        Regions of the live source: an archive may hold them.
    """

    folder: Path
    replaying: Replaying
    live: Callable[[], Sequence[Region]]
    spacing_deg: float
    _read: dict[Path, tuple[_State, tuple[StoredWindow, ...]]] = field(default_factory=dict)

    def offered(self) -> tuple[str, ...]:
        """Return the names of what the folder holds; nothing where there is no folder."""
        files = [path.name for path in self.folder.glob("*.parquet") if path.is_file()]
        parts = {path.parent.relative_to(self.folder).as_posix() for path in self.folder.glob("*/*/*.parquet")}
        return tuple(sorted(files) + sorted(part for part in parts if source_of(part.split("/")[0])))

    def windows(self, name: str) -> tuple[ReplayWindow, ...]:
        """Return the windows of one of the names offered.

        Raises
        ------
        ConfigurationError
            If it is none of them: nothing else is opened, whatever an address says.
        DataError, SourceError
            If it cannot be read.
        """
        if name not in self.offered():
            raise ConfigurationError("There is no such file of stored weather.", hint="Choose one of those offered.")
        return self.read(self.folder / name)

    def read(self, path: Path) -> tuple[ReplayWindow, ...]:
        """Return the windows of a file or a folder of Parquet; read again only when it has changed.

        Raises
        ------
        DataError, SourceError
            If it cannot be read.
        """
        state = _state(path)
        kept = self._read.get(path)
        if kept is None or kept[0] != state:
            kept = state, read_windows(path, self._known, PROJECT_ROOT / "data" / "maps")
            for old in list(self._read)[: max(0, len(self._read) - _KEPT + 1)]:
                self._read.pop(old, None)
            self._read[path] = kept
        return kept[1]

    def issue(self, window: ReplayWindow, at: datetime) -> Issue:
        """Return the issue of a window as known at `at`; nothing is recorded.

        Raises
        ------
        ConfigurationError
            If `at` lies outside the window.
        """
        return self.replaying.issue(window, at)

    def write(self, path: Path, issues: Iterable[RegionForecast]) -> int:
        """Write issues as Parquet in the form of a hindcast; return the number of rows."""
        return hindcast_file.write(path, (rows_of(issue) for issue in issues))

    def _known(self) -> tuple[Region, ...]:
        """Return the regions of the live source, then those of the region packs that it does not serve."""
        try:
            live = tuple(self.live())
        except CloudburstError:  # a source that is down now does not keep anyone from looking back
            live = ()
        packs = load_regions(PROJECT_ROOT / "data" / "regions", PROJECT_ROOT / "data" / "maps", self.spacing_deg)
        ids = {region.id for region in live}
        return (*live, *(region for region in packs if region.id not in ids))


def window_of(windows: Sequence[ReplayWindow], window_id: str) -> ReplayWindow:
    """Return the window of this id.

    Raises
    ------
    ConfigurationError
        If there is none; the hint names those there are.
    """
    for window in windows:
        if window.id == window_id:
            return window
    names = ", ".join(window.id for window in windows[:30])
    raise ConfigurationError("There is no such stored window.", hint=f"There are: {names}.")


def _state(path: Path) -> _State:
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    return tuple((f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files if f.is_file())
