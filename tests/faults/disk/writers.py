"""All that writes and is no part of the model store: by number, so that what is there can be told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from core.adapters import flags_file, hindcast_file, keys
from core.adapters.archive import ParquetArchive
from core.adapters.experiment_files import JsonExperiments
from core.adapters.feature_store import ParquetFeatures
from core.adapters.files import write_whole
from core.adapters.ledger import SqlLedger
from core.adapters.ledger_alerts import SqlAlerts
from core.adapters.ledger_experiments import SqlExperiments
from core.adapters.log_files import LogFile
from core.adapters.open_meteo.budget import Budget
from core.adapters.outbox import FolderOutbox
from core.adapters.quality_files import ParquetQuality
from core.adapters.run_files import RunFiles
from core.domain.alerts import AlertRule
from core.domain.deliveries import Delivery
from core.domain.features import FeatureRows
from core.domain.forecast import EVENTS, HindcastRows, RiskLevel
from core.domain.quality import QualityMetrics
from core.domain.units import hour_axis, to_hour64, to_second64
from core.domain.weather import HourlyWeather, Location, Region
from core.errors import CloudburstError
from core.quality.checks import check
from tests.adapters.outside_servers import notice
from tests.experiments_made import experiment, result
from tests.faults.model.homes import RUN

AT = datetime(2026, 7, 1, tzinfo=UTC)
PLACE = Location("a", "A", 30.0, 78.0, 500.0)
REGION = Region("hills", "Hills", "Asia/Kolkata", (PLACE,))
FEATURES = ("gauges", "hills", "observed-2")
#: Hours in which a number can be looked for.
MOST = 3_000


@dataclass(frozen=True)
class Writer:
    """One who writes.

    Parameters
    ----------
    write
        Writes what belongs to a number below a home.
    there
        Numbers whose work is there whole, in order; one that is there twice stands there twice. Raises where it is
        torn.
    says
        Its errors.
    replaces
        Whether a number takes the place of the one before it.
    once
        Whether the same number written again is there once.
    lossy
        Whether it may lose what the disk does not take, and says nothing: the log.
    """

    name: str
    write: Callable[[Path, int], object]
    there: Callable[[Path], list[int]]
    says: tuple[type[Exception], ...] = (CloudburstError,)
    replaces: bool = False
    once: bool = True
    lossy: bool = False


@contextmanager
def ledger(home: Path) -> Iterator[SqlLedger]:
    """Yield the ledger of a home, and let its files go."""
    kept = SqlLedger(f"sqlite:///{home / 'data' / 'ledger.sqlite'}")
    try:
        yield kept
    finally:
        kept.engine.dispose()


def _hour(number: int) -> datetime:
    return AT + timedelta(hours=number)


def _weather(number: int) -> HourlyWeather:
    rain = {"precipitation_mm": np.array([[number / 100]], np.float32)}
    return HourlyWeather((PLACE,), hour_axis(_hour(number), _hour(number)), rain, "gauges")


def _archive(home: Path, number: int) -> None:
    ParquetArchive(home / "data" / "processed").store(REGION.id, check(_weather(number)))


def _archived(home: Path) -> list[int]:
    found = ParquetArchive(home / "data" / "processed").read(REGION, AT, _hour(MOST), "gauges")
    rain = found.get("precipitation_mm")[0]
    return [n for n in range(len(rain)) if rain[n] == np.float32(n / 100)]


def _record(home: Path, number: int) -> None:
    with ledger(home) as kept:
        kept.record_run("job", "well", {"number": number}, AT)


def _recorded(home: Path) -> list[int]:
    with ledger(home) as kept:
        return sorted(run["detail"]["number"] for run in kept.runs(10**6))


def _result(home: Path, number: int) -> None:
    with ledger(home) as kept:
        SqlExperiments(kept).record_results([result(case=number, shown=True)], {"monsoon": 1})


def _results(home: Path) -> list[int]:
    first = result().valid_at
    assert first is not None
    with ledger(home) as kept:
        rows = SqlExperiments(kept).results("monsoon")
        return sorted(round((row["valid_at"] - first) / timedelta(hours=1)) for row in rows)


def _rule(home: Path, number: int) -> None:
    with ledger(home) as kept:
        SqlAlerts(kept).keep_rule(AlertRule(f"r{number}", REGION.id), "faults", AT)


def _rules(home: Path) -> list[int]:
    with ledger(home) as kept:
        return _numbers(SqlAlerts(kept).rules(REGION.id))


def _files(home: Path) -> JsonExperiments:
    return JsonExperiments(home / "models" / "experiments", home / "models" / "experiment_results")


def _define(home: Path, number: int) -> None:
    _files(home).store(experiment(id=f"e{number}"))


def _defined(home: Path) -> list[int]:
    there = list((home / "models" / "experiments").glob("*.json"))
    found = _files(home).experiments()
    if len(found) != len(there):
        raise ValueError("a definition is torn")
    return _numbers(one.id for one in found)


def _export(home: Path, number: int) -> None:
    _files(home).export("monsoon", [{"number": number}] * 200)


def _exported(home: Path) -> list[int]:
    table = pd.read_csv(home / "models" / "experiment_results" / "monsoon.csv")
    return _the_only(table["number"], 200)


def _feature(home: Path, number: int) -> None:
    moment = to_second64(_hour(number))
    rows = FeatureRows(
        ("rain_1h_mm",),
        np.array(["a"], object),
        np.array([to_hour64(_hour(number))], "datetime64[h]"),
        np.array([moment], "datetime64[s]"),
        np.array([[number]], np.float32),
    )
    ParquetFeatures(home / "data" / "features").store(*FEATURES, rows)


def _features(home: Path) -> list[int]:
    rows = ParquetFeatures(home / "data" / "features").read(*FEATURES, AT, _hour(MOST))
    return sorted(int(value) for value in rows.values[:, 0]) if len(rows) else []


def _quality(home: Path, number: int) -> None:
    end = _hour(number)
    made = QualityMetrics("gauges", "hills", None, end - timedelta(hours=23), end, 0.9, 1.0, 1.0, 1.0, 1.0, 0.0, 0.9)
    ParquetQuality(home / "data" / "quality_metrics").store([made])


def _qualities(home: Path) -> list[int]:
    paths = sorted((home / "data" / "quality_metrics").rglob("*.parquet"))
    ends = [end for path in paths for end in pd.read_parquet(path)["end"]]
    return sorted(round((end - AT) / timedelta(hours=1)) for end in ends)


def _hindcast(home: Path, number: int) -> None:
    rows = 200
    part = HindcastRows(
        np.array(["a"] * rows, object),
        np.repeat(np.datetime64("2026-07-01T00", "h"), rows),
        np.full((rows, len(EVENTS)), number / MOST),
        (RiskLevel.GREEN,) * rows,
    )
    hindcast_file.write(home / "data" / "hindcast.parquet", [part])


def _hindcasts(home: Path) -> list[int]:
    table = pq.read_table(home / "data" / "hindcast.parquet", page_checksum_verification=True)
    return _the_only(np.round(table["p_15"].to_numpy() * MOST), 200)


def _flag(home: Path, number: int) -> None:
    hours = hour_axis(AT, _hour(number))
    rain = {"precipitation_mm": np.full((1, len(hours)), 900.0, np.float32)}  # more than falls in an hour anywhere
    flags_file.write(home / "data" / "flags.parquet", [check(HourlyWeather((PLACE,), hours, rain, "gauges"))])


def _flagged(home: Path) -> list[int]:
    table = pq.read_table(home / "data" / "flags.parquet", page_checksum_verification=True)
    return [len(set(table["valid_at"].to_pylist())) - 1]


def _queue(home: Path, number: int) -> None:
    FolderOutbox(home / "data" / "outbox").add(Delivery(notice(f"n{number}"), "webhook a", AT, AT))


def _queued(home: Path) -> list[int]:
    outbox = FolderOutbox(home / "data" / "outbox")
    found = _numbers(one.notice.id for one in outbox.all())
    if outbox.lost():
        raise ValueError("a delivery is torn")
    return found


def _token(home: Path, number: int) -> None:
    keys.secret(home / "data" / f"{number}.token")


def _tokens(home: Path) -> list[int]:
    paths = list((home / "data").glob("*.token"))
    return sorted(int(path.stem) for path in paths if keys.secret(path))  # a torn one is refused


def _run(home: Path, number: int) -> None:
    RunFiles(home / "data" / "retraining").write(replace(RUN, text=f"{number}" + " " * 2000))


def _runs(home: Path) -> list[int]:
    state = RunFiles(home / "data" / "retraining").read()
    if state is None:
        raise ValueError("the state of a run is torn")
    return [int(state.text)]


def _call(home: Path, _number: int) -> None:
    _budget(home).take(1.0)


def _calls(home: Path) -> list[int]:
    return list(range(round(_budget(home).lines()[0].spent)))


def _budget(home: Path) -> Budget:
    return Budget(lambda: AT, path=home / "data" / "open_meteo_calls.json")


def _report(home: Path, number: int) -> None:
    data = f"{number}\n".encode() * 2000
    write_whole(home / "data" / "reports" / "hills.pdf", lambda temporary: temporary.write_bytes(data))


def _reports(home: Path) -> list[int]:
    return _the_only(map(int, (home / "data" / "reports" / "hills.pdf").read_text().split()), 2000)


def _log(home: Path, number: int) -> None:
    log = LogFile(home / "logs" / "server.log", 10**6, 1, lambda _: None)
    log.write(f"line {number}")
    log.close()


def _logged(home: Path) -> list[int]:
    text = ""
    with suppress(FileNotFoundError):
        text = (home / "logs" / "server.log").read_text("utf-8")
    if not re.fullmatch(r"(line \d+\n|\{.*\}\n)*", text):
        raise ValueError("a line of the log is torn")
    return sorted(int(number) for number in re.findall(r"line (\d+)\n", text))


def _numbers(names: object) -> list[int]:
    return sorted(int(str(name)[1:]) for name in names)  # type: ignore[attr-defined]


def _the_only(values: object, count: int) -> list[int]:
    """Return the number that a file of so many equal ones holds."""
    found = [int(value) for value in values]  # type: ignore[attr-defined]
    if len(found) != count or len(set(found)) != 1:
        raise ValueError("a file is torn")
    return found[:1]


WRITERS = (
    Writer("archive", _archive, _archived),
    Writer("ledger", _record, _recorded, once=False),
    Writer("experiment results", _result, _results),
    Writer("alert rules", _rule, _rules),
    Writer("experiments", _define, _defined),
    Writer("export", _export, _exported, replaces=True),
    Writer("features", _feature, _features),
    Writer("quality", _quality, _qualities),
    Writer("hindcast", _hindcast, _hindcasts, (OSError,), replaces=True),
    Writer("flags", _flag, _flagged, (OSError,), replaces=True),
    Writer("outbox", _queue, _queued),
    Writer("token", _token, _tokens),
    Writer("run", _run, _runs, (OSError,), replaces=True),
    Writer("calls", _call, _calls, once=False),
    Writer("report", _report, _reports, (OSError,), replaces=True),
    Writer("log", _log, _logged, once=False, lossy=True),
)
