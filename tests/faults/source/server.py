"""A loopback server that answers as Open-Meteo does, or wrongly in every way that has been seen, step by step."""

from __future__ import annotations

import gzip
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np

from core.adapters.open_meteo.contract import NAMES
from core.adapters.open_meteo.ensembles import ENSEMBLES
from core.domain.units import dew_point_c, saturation_vapour_pressure_hpa

Document = Any
Params = Mapping[str, str]
#: Mean and spread of made values, by name of the service.
MEANS = {
    "temperature_2m": (22.0, 6.0),
    "relative_humidity_2m": (70.0, 20.0),
    "surface_pressure": (870.0, 5.0),
    "pressure_msl": (1004.0, 4.0),
    "wind_speed_10m": (3.0, 2.0),
    "wind_direction_10m": (180.0, 170.0),
    "wind_gusts_10m": (8.0, 3.0),
    "cloud_cover": (60.0, 40.0),
    "precipitation": (2.0, 2.0),
    "cape": (900.0, 800.0),
    "lifted_index": (-1.0, 4.0),
    "convective_inhibition": (40.0, 40.0),
    "total_column_integrated_water_vapour": (45.0, 15.0),
    "freezing_level_height": (5200.0, 300.0),
}
UNITS = {name: units[0] for name, units in NAMES.values()}
REASONS = {
    "minutely": "Minutely API request limit exceeded. Please try again in one minute.",
    "hourly": "Hourly API request limit exceeded. Please try again in the next hour.",
    "daily": "Daily API request limit exceeded. Please try again tomorrow.",
    "concurrent": "Too many concurrent requests",
}


def base_name(name: str) -> str:
    return name.partition("_previous_day")[0].partition("_member")[0]


def columns(params: Params) -> list[str]:
    """Return the columns that the service answers with: of an ensemble one for each member, the control unnumbered."""
    names = params["hourly"].split(",")
    perturbed = range(1, ENSEMBLES[params["models"]]) if "models" in params else ()
    return [f"{name}{member}" for name in names for member in ("", *(f"_member{number:02d}" for number in perturbed))]


def made_values(name: str, latitude: float, longitude: float, hours: np.ndarray) -> list[float]:
    """Return values of air that could be; they depend on name, place and hour alone, with one decimal."""
    if base_name(name) == "dew_point_2m":  # a value of its own would fail the checks at some hours of the day
        there = (name.replace("dew_point", other) for other in ("temperature", "relative_humidity"))
        warmth, humidity = (np.array(made_values(n, latitude, longitude, hours)) for n in there)
        dew_point = dew_point_c(humidity / 100 * saturation_vapour_pressure_hpa(warmth))
        return [round(float(v), 1) for v in dew_point]
    mean, spread = MEANS[base_name(name)]
    seed = zlib.crc32(f"{name} {latitude:.4f} {longitude:.4f}".encode()) / 2**32
    phase = hours.astype("datetime64[h]").astype(int) * 0.7 + 100 * seed
    return [round(float(v), 1) for v in mean + spread * np.sin(phase)]


def good(params: Params) -> Document:
    """Return the document that the service would answer with."""
    latitudes, longitudes = (list(map(float, params[name].split(","))) for name in ("latitude", "longitude"))
    names = columns(params)
    first, last = (np.datetime64(params[key], "h") for key in ("start_date", "end_date"))
    hours = np.arange(first, last + 24)
    times = [f"{text}:00" for text in np.datetime_as_string(hours)]
    answers: list[dict[str, Any]] = []
    for i, (latitude, longitude) in enumerate(zip(latitudes, longitudes, strict=True)):
        answers.append({
            # The service answers for the centre of a cell of its model.
            "latitude": round(latitude + 0.04, 4), "longitude": round(longitude - 0.06, 4),
            "generationtime_ms": 0.5, "utc_offset_seconds": 0, "timezone": "GMT", "timezone_abbreviation": "GMT",
            "elevation": 812.0, **({"location_id": i} if i else {}),
            "hourly_units": {"time": "iso8601", **{name: UNITS[base_name(name)] for name in names}},
            "hourly": {"time": list(times), **{n: made_values(n, latitude, longitude, hours) for n in names}},
        })  # fmt: skip
    return answers[0] if len(answers) == 1 else answers


def run_page(out_at: datetime) -> dict[str, int]:
    """Return the page about a model whose newest run came out at `out_at` and began four hours before."""
    out = int(out_at.timestamp())
    return {
        "last_run_initialisation_time": out - 4 * 3600,
        "last_run_modification_time": out - 600,
        "last_run_availability_time": out,
        "temporal_resolution_seconds": 3600,
        "update_interval_seconds": 21_600,
    }


def places_of(document: Document) -> list[dict[str, Any]]:
    return document if isinstance(document, list) else [document]


@dataclass
class Asked:
    """One request as it came in."""

    path: str
    params: dict[str, str]
    headers: dict[str, str]
    at: float = field(default_factory=time.monotonic)


Step = Callable[[BaseHTTPRequestHandler, Params], None]


def send(
    handler: BaseHTTPRequestHandler,
    body: bytes,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    length: int | None = -1,
) -> None:
    """Send a whole response; `length` None leaves Content-Length out, another number lies about it."""
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json; charset=utf-8", **(headers or {})}.items():
        handler.send_header(name, value)
    if length is not None:
        handler.send_header("Content-Length", str(len(body) if length == -1 else length))
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(body)


def answer(mutate: Callable[[Document], Document] = lambda document: document, *, packed: bool = False) -> Step:
    """Answer well, or with what `mutate` makes of the good document."""

    def step(handler: BaseHTTPRequestHandler, params: Params) -> None:
        body = json.dumps(mutate(good(params))).encode()
        if packed:
            send(handler, gzip.compress(body), headers={"Content-Encoding": "gzip"})
        else:
            send(handler, body)

    return step


def text(change: Callable[[bytes], bytes], **how: Any) -> Step:
    """Answer with what `change` makes of the good body."""
    return lambda handler, params: send(handler, change(json.dumps(good(params)).encode()), **how)


def failure(status: int, reason: str | None = None, headers: Mapping[str, str] | None = None) -> Step:
    """Answer with a status, and with the service's form of an error where a reason is given."""
    body = b"<html>Bad gateway</html>" if reason is None else json.dumps({"error": True, "reason": reason}).encode()
    return lambda handler, _: send(handler, body, status, headers)


def limited(kind: str, headers: Mapping[str, str] | None = None) -> Step:
    return failure(429, REASONS[kind], headers)


def cut(share: float = 0.5, *, with_length: bool) -> Step:
    """Close the connection in the middle of the body."""

    def step(handler: BaseHTTPRequestHandler, params: Params) -> None:
        body = json.dumps(good(params)).encode()
        send(handler, body[: int(len(body) * share)], length=len(body) if with_length else None)

    return step


def bomb(megabytes: int = 64) -> Step:
    """Answer with a small gzip body that unfolds to so many megabytes."""
    packer = zlib.compressobj(9, wbits=31)
    body = b"".join(packer.compress(b" " * 2**20) for _ in range(megabytes)) + packer.flush()
    return lambda handler, _: send(handler, body, headers={"Content-Encoding": "gzip"})


def drip(pause_s: float = 0.04, *, headers: bool = False, seconds: float = 30) -> Step:
    """Send a byte at a time: the body, or the headers already."""

    def step(handler: BaseHTTPRequestHandler, params: Params) -> None:
        body = json.dumps(good(params)).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nX-Slow: ".encode()
        if not headers:
            handler.wfile.write(head + b"no\r\n\r\n")
            head = b""
        end = time.monotonic() + seconds
        for i in range(10**9):
            if time.monotonic() > end:
                return
            handler.wfile.write((head + b"x" * 10_000 if headers else body)[i : i + 1] or b" ")
            time.sleep(pause_s)

    return step


def silence(seconds: float = 30) -> Step:
    """Take the request and say nothing."""

    def step(handler: BaseHTTPRequestHandler, params: Params) -> None:
        server: Any = handler.server
        server.closing.wait(seconds)

    return step


def about_run(out_at: datetime | None) -> Step:
    """Answer with the page about a model, 404 where there is none."""
    if out_at is None:
        return failure(404)
    return lambda handler, _: send(handler, json.dumps(run_page(out_at)).encode())


class SourceServer:
    """The server: `url`, and what it was `asked`. Steps are used up in turn; the last stays."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = list(steps) or [answer()]
        self.asked: list[Asked] = []
        #: Pages about models that were asked for, and the run that they name: out two hours ago by the machine's clock.
        self.asked_runs: list[str] = []
        self.run_out_at: datetime | None = datetime.now(UTC) - timedelta(hours=2)
        #: What these requests get instead of that page.
        self.run_step: Step | None = None
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                params = dict(parse_qsl(parts.query))
                self.close_connection = True
                if parts.path.startswith("/data/"):
                    owner.asked_runs.append(parts.path)
                    (owner.run_step or about_run(owner.run_out_at))(self, params)
                    return
                owner.asked.append(Asked(parts.path, params, {k.lower(): v for k, v in self.headers.items()}))
                step = owner.steps.pop(0) if len(owner.steps) > 1 else owner.steps[0]
                # The client has had enough, as it should.
                with suppress(BrokenPipeError, ConnectionResetError):
                    step(self, params)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.server.closing = threading.Event()  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __len__(self) -> int:
        return len(self.asked)


@contextmanager
def serving(*steps: Step) -> Iterator[SourceServer]:
    """Serve these steps on loopback."""
    served = SourceServer(steps)
    thread = threading.Thread(target=served.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        served.server.closing.set()  # type: ignore[attr-defined]
        served.server.shutdown()
        served.server.server_close()
        thread.join()
