"""Raw station-years as INMET, the Brazilian weather service, publishes them.

Latin-1 (a few re-saved ones UTF-8), separated by semicolons, decimal comma. Eight lines say which station it is, the
ninth names the columns, whose order and accents differ between the years. Missing is empty or -9999. The hour is
stamped in UTC at its end: precipitation and gust belong to the hour before it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from core.adapters.gauges.columns import UNITS, check_units, mismatch
from core.adapters.gauges.files import Span, frame_of, numbers
from core.adapters.gauges.stations import coordinate
from core.adapters.gauges.text import TextForm, codes_of, has_rows, header, line_of_row, read_table
from core.adapters.gauges.times import TIME_HINT, Seconds, times_of_texts
from core.domain.weather import VARIABLES, Location

_PREAMBLE = 8
#: Start of each column's name without accents, in capitals, and the unit that stands in its brackets.
_COLUMNS: Mapping[str, tuple[str, str]] = {
    "precipitation_mm": ("PRECIPITACAO TOTAL, HORARIO", "(MM)"),
    "surface_pressure_hpa": ("PRESSAO ATMOSFERICA AO NIVEL DA ESTACAO, HORARIA", "(MB)"),
    "temperature_c": ("TEMPERATURA DO AR - BULBO SECO, HORARIA", "(°C)"),
    "dew_point_c": ("TEMPERATURA DO PONTO DE ORVALHO", "(°C)"),
    "relative_humidity_pct": ("UMIDADE RELATIVA DO AR, HORARIA", "(%)"),
    "wind_direction_deg": ("VENTO, DIRECAO HORARIA", "(GR)"),
    "wind_gust_ms": ("VENTO, RAJADA MAXIMA", "(M/S)"),
    "wind_speed_ms": ("VENTO, VELOCIDADE HORARIA", "(M/S)"),
}
#: Other ways to write the same unit: hPa is mB, direction stands as "(gr) (° (gr))".
_SAME_UNIT: Mapping[str, tuple[str, ...]] = {
    "(MB)": ("(MB)", "(HPA)"),
    "(°C)": ("(°C)", "(ºC)", "(C)"),
    "(GR)": ("(GR)", "(° (GR))", "(°)"),
}


def is_inmet(path: Path) -> bool:
    """Say whether a file begins as INMET's do: `REGIAO:;CO`."""
    with path.open("rb") as file:
        first = file.readline(200).removeprefix(b"\xef\xbb\xbf")
    return first.upper().startswith((b"REGI\xc3O", b"REGI\xe3O", b"REGI\xc3\x83O", b"REGI\xc3\xa3O", b"REGIAO"))


@dataclass(frozen=True)
class InmetFile:
    """One raw station-year of INMET."""

    path: Path

    @property
    def form(self) -> TextForm:
        """How it is written: Latin-1, unless its first lines hold accents that are valid UTF-8."""
        head = b"".join(self._head())
        try:
            head.decode("utf-8")
        except UnicodeDecodeError:
            return TextForm("latin-1", ";", ",", _PREAMBLE)
        return TextForm("latin-1" if head.isascii() else "utf-8", ";", ",", _PREAMBLE)

    def has_rows(self) -> bool:
        """Say whether there is a row below the column names."""
        return has_rows(self.path, self.form)

    def variables(self) -> tuple[str, ...]:
        """Return the variables among the columns; only precipitation must be there."""
        named = self._columns()
        return tuple(name for name in VARIABLES if name in named)

    def span(self) -> Span | None:
        """Return None: text must be read to be known."""
        return None

    def line_of(self, row: int) -> int:
        """Return the line in the file of a row counted from 0."""
        return line_of_row(self.path, self.form, row)

    def station(self) -> Location:
        """Return the station of the first eight lines.

        Raises
        ------
        SchemaMismatch
            If its code or position is missing or no number.
        """
        form = self.form
        found: dict[str, tuple[int, str]] = {}
        for line, raw in enumerate(self._head()[:_PREAMBLE], 1):
            key, _, value = raw.decode(form.encoding).partition(";")
            found[_plain(key).split(":")[0].split(" (")[0]] = (line, value.strip().strip(";").strip())

        def position(key: str, column: str) -> float:
            line, text = found.get(key, (_PREAMBLE, ""))
            return coordinate(text, column, self.path, line, form)

        line, code = found.get("CODIGO", (_PREAMBLE, ""))
        if not code:
            raise mismatch(self.path, "station_id", line, "the station's code (CODIGO) is missing")
        name = found.get("ESTACAO", (0, ""))[1] or code
        return Location(
            id=code,
            name=name,
            latitude=position("LATITUDE", "latitude"),
            longitude=position("LONGITUDE", "longitude"),
            elevation_m=position("ALTITUDE", "elevation_m"),
        )

    def read(self, wanted: Span | None = None) -> pd.DataFrame:  # noqa: ARG002 - text is read as a whole
        """Return all rows.

        Raises
        ------
        SchemaMismatch
            If a column, a time, a number or a unit is not what it must be.
        """
        columns = self._columns()
        day, hour = self._time_columns()
        names = self.variables()
        table = read_table(self.path, self.form, (day, hour), [columns[name] for name in names])
        values = {name: numbers(table.column(columns[name]), name, self.path, self.line_of) for name in names}
        check_units(values, self.path, self.line_of)
        seconds = self._times(table, day, hour)
        station = pd.Index([self.station().id], dtype="str")
        return frame_of(pd.Categorical.from_codes(np.zeros(len(seconds), np.int8), categories=station), seconds, values)

    def _head(self) -> list[bytes]:
        """Return the lines of the station and the line of column names."""
        with self.path.open("rb") as file:
            return list(islice(file, _PREAMBLE + 1))

    def _header(self) -> list[str]:
        names = header(self.path, self.form)
        if len(names) < 3 or not _plain(names[0]).startswith("DATA"):
            raise mismatch(self.path, "Data", _PREAMBLE + 1, "the line of column names is not the ninth")
        return names

    def _columns(self) -> dict[str, str]:
        """Return the file's own column name of every variable."""
        found: dict[str, str] = {}
        names = self._header()
        for variable, (start, unit) in _COLUMNS.items():
            own = next((name for name in names if _plain(name).startswith(start)), None)
            if own is None:
                continue
            if not _plain(own).removeprefix(start).strip().startswith(_SAME_UNIT.get(unit, (unit,))):
                hint = f"{variable} is needed in {UNITS[variable]}."
                raise mismatch(self.path, own, _PREAMBLE + 1, f"wrong unit, {unit.lower()} is expected", hint)
            found[variable] = own
        if "precipitation_mm" not in found:
            hint = "INMET calls it PRECIPITAÇÃO TOTAL, HORÁRIO (mm)."
            raise mismatch(self.path, "precipitation_mm", _PREAMBLE + 1, "the required column is missing", hint)
        return found

    def _time_columns(self) -> tuple[str, str]:
        day, hour = self._header()[:2]
        if not _plain(hour).startswith("HORA"):
            raise mismatch(self.path, hour, _PREAMBLE + 1, "the second column is not the hour", TIME_HINT)
        if "UTC" not in _plain(hour):
            raise mismatch(self.path, hour, _PREAMBLE + 1, "the hours are not in UTC", TIME_HINT)
        return day, hour

    def _times(self, table: pa.Table, day: str, hour: str) -> Seconds:
        pairs = zip(_texts(table.column(day)), _texts(table.column(hour)), strict=True)
        texts: list[str | None] = [_stamp(*pair) for pair in pairs]
        return times_of_texts(np.arange(len(texts)), texts, self.path, self.line_of)


def _plain(text: str) -> str:
    """Return a name in capitals without accents: their spelling differs between the years."""
    decomposed = unicodedata.normalize("NFD", text.removeprefix("\ufeff").strip().upper())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _texts(column: pa.ChunkedArray) -> list[str]:
    codes, texts = codes_of(column)
    return [texts[code] or "" if code >= 0 else "" for code in codes.tolist()]


def _stamp(day: str, hour: str) -> str:
    """Return date and hour as one ISO text, or as they are where they are neither `2021/01/01` nor `0000 UTC`.

    >>> _stamp("2021/01/01", "0300 UTC"), _stamp("2018-01-01", "03:00")
    ('2021-01-01 03:00', '2018-01-01 03:00')
    """
    date = re.fullmatch(r"(\d{4})[-/](\d{2})[-/](\d{2})", day.strip(), re.ASCII)
    clock = re.fullmatch(r"(\d{2}):?(\d{2})(?: *UTC)?", hour.strip(), re.ASCII)
    if date is None or clock is None:
        return f"{day} {hour}".strip()
    return f"{'-'.join(date.groups())} {':'.join(clock.groups())}"
