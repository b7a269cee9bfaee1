"""The live source against a server that fails in every way that has been seen: errors with a hint, or the truth."""

from __future__ import annotations

import json
import socket
import threading
import time
import tracemalloc
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from core.adapters.open_meteo.answers import parse
from core.adapters.open_meteo.contract import Endpoint, Query
from core.adapters.open_meteo.source import OpenMeteo
from core.adapters.open_meteo.waits import seconds_of
from core.domain.weather import HourlyWeather
from core.errors import SourceError, SourceRateLimited, SourceResponseInvalid, SourceUnavailable
from tests.adapters.open_meteo_made import HOUR, NOW, Clock
from tests.faults.source import fuzz
from tests.faults.source import server as fault
from tests.faults.source.mutations import REFUSED, REFUSED_BODIES, all_refused
from tests.faults.source.server import SourceServer, answer, serving
from tests.weather_made import PLACES, REGION

QUERY = Query(Endpoint.FORECAST, PLACES[:2], NOW.date(), NOW.date())


def live(server: SourceServer, clock: Clock | None = None, **how: float) -> OpenMeteo:
    return OpenMeteo((REGION,), clock or Clock(), base_url=server.url, **how)  # type: ignore[arg-type]


def ask(source: OpenMeteo) -> HourlyWeather:
    return source.hours(REGION, NOW - 3 * HOUR, NOW)


def refused(server: SourceServer, kind: type[SourceError] = SourceError, **how: float) -> SourceError:
    with pytest.raises(kind) as caught:
        ask(live(server, **how))
    error = caught.value
    assert type(error) is kind
    assert error.hint
    assert server.url not in f"{error} {error.context}"
    return error


def test_a_good_answer_passes_packed_and_plain() -> None:
    with serving(answer(), answer(packed=True)) as server:
        plain, packed = ask(live(server)), ask(live(server))
    assert plain.observed().all()
    for variable, values in plain.values.items():
        assert np.array_equal(values, packed.values[variable])
    assert server.asked[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("name", REFUSED)
def test_a_spoiled_answer_is_refused_and_not_asked_again(name: str) -> None:
    with serving(answer(REFUSED[name])) as server:
        refused(server, SourceResponseInvalid)
        assert len(server) == 1


def test_every_key_dropped_and_every_unit_changed_is_refused() -> None:
    document = fault.good(QUERY.params)
    count = 0
    for name, mutation in all_refused(document):
        with pytest.raises(SourceResponseInvalid):
            parse(json.dumps(mutation(document)).encode(), QUERY)
            pytest.fail(f"{name} passed")
        count += 1
    assert count > 250


@pytest.mark.parametrize("name", REFUSED_BODIES)
def test_a_body_that_is_no_answer_is_refused(name: str) -> None:
    with serving(fault.text(REFUSED_BODIES[name])) as server:
        refused(server, SourceResponseInvalid)


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (fault.cut(with_length=True), SourceUnavailable),
        (fault.cut(with_length=False), SourceResponseInvalid),
        (fault.text(lambda _: b"", length=0), SourceResponseInvalid),
        (fault.text(lambda b: b[:500] + b"Unexpected error while streaming data"), SourceResponseInvalid),
        (fault.failure(500, "Internal error"), SourceUnavailable),
        (fault.failure(502), SourceUnavailable),
        (fault.failure(503), SourceUnavailable),
        (fault.failure(504), SourceUnavailable),
    ],
)
def test_what_may_pass_is_tried_three_times_and_then_said(step: fault.Step, kind: type[SourceError]) -> None:
    with serving(step) as server:
        error = refused(server, kind)
        assert (len(server), error.context["tries"]) == (3, 3)
    with serving(step, step, answer()) as server:
        assert ask(live(server)).observed().all()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418])
def test_what_does_not_pass_is_not_tried_again(status: int) -> None:
    with serving(fault.failure(status, "Parameter 'start_date' is <script>out</script> of range")) as server:
        error = refused(server, SourceResponseInvalid if status == 400 else SourceUnavailable)
        assert len(server) == 1
        assert "<" not in str(error)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with serving(answer()) as trap, serving(fault.failure(status, None, {"Location": trap.url})) as server:
        assert "redirect" in refused(server, SourceUnavailable).message
        assert (len(server), len(trap)) == (1, 0)


def test_a_closed_port_is_an_unavailable_source() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        source = OpenMeteo((REGION,), Clock(), base_url=f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(SourceUnavailable, match="ConnectError"):
            ask(source)
    assert source.stats == {"calls": 3, "failed_tries": 3, "unavailable": 1}


def test_a_gzip_bomb_does_not_unfold() -> None:
    with serving(fault.bomb(256)) as server:
        tracemalloc.start()
        refused(server, SourceResponseInvalid)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(server) == 1
    assert peak < 16e6


@pytest.mark.parametrize("status", [200, 500])
def test_a_body_beyond_its_cap_is_refused(status: int) -> None:
    with serving(fault.text(lambda _: b"[" + b" " * 3_000_000 + b"]", status=status)) as server:
        refused(server, SourceResponseInvalid)


@pytest.mark.parametrize("packing", ["br", "deflate", "gzip, gzip", "gzip"])
def test_an_unasked_packing_is_refused(packing: str) -> None:
    with serving(fault.text(lambda b: b, headers={"Content-Encoding": packing})) as server:
        refused(server, SourceResponseInvalid)


@pytest.mark.parametrize("how", ["body", "headers", "silence"])
def test_the_total_deadline_holds(how: str) -> None:
    step = fault.silence() if how == "silence" else fault.drip(headers=how == "headers")
    with serving(step) as server:
        begun = time.monotonic()
        error = refused(server, SourceUnavailable, deadline_s=1.0)
        took = time.monotonic() - begun
    assert 0.9 < took < 2.0, f"{took:.2f} s"
    assert error.context["fault"] == "deadline"


def test_one_deadline_holds_for_all_requests_of_a_call() -> None:
    with serving(fault.text(lambda b: (time.sleep(0.7), b)[1])) as server:
        begun = time.monotonic()
        source = OpenMeteo((REGION,), Clock(), base_url=server.url, deadline_s=1.0, places_per_request=1)
        with pytest.raises(SourceUnavailable):
            ask(source)
    assert time.monotonic() - begun < 2.0


def test_one_request_at_a_time() -> None:
    busy, most = [0], [0]

    def slow(body: bytes) -> bytes:
        busy[0] += 1
        most[0] = max(most[0], busy[0])
        time.sleep(0.05)
        busy[0] -= 1
        return body

    with serving(fault.text(slow)) as server:
        source = live(server)
        days = [NOW - timedelta(days=40 * i) for i in range(1, 6)]
        threads = [threading.Thread(target=source.hours, args=(REGION, day, day + HOUR)) for day in days]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(server), most[0]) == (5, 1)


def test_twenty_who_ask_the_same_cost_one_request() -> None:
    with serving(fault.text(lambda b: (time.sleep(0.2), b)[1])) as server:
        source, found = live(server), []
        threads = [threading.Thread(target=lambda: found.append(ask(source))) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(server), len(found)) == (1, 20)


def test_neighbours_exchanged_are_refused_where_places_are_numbered() -> None:
    document = fault.good(QUERY.params)
    for spoiled in (document[::-1], [document[0], {**document[0], "location_id": 0}]):
        with pytest.raises(SourceResponseInvalid, match="order"):
            parse(json.dumps(spoiled).encode(), QUERY)
    del document[1]["location_id"]
    assert parse(json.dumps(document).encode(), QUERY).values["temperature_c"].shape == (2, 24)


@pytest.mark.parametrize(
    ("kind", "header", "seconds"),
    [
        ("minutely", None, 60),
        ("hourly", None, 40 * 60),
        ("daily", None, 5 * 3600 + 40 * 60),
        ("concurrent", None, 5),
        ("minutely", "7", 7),
        ("hourly", "Wed, 29 Jul 2026 18:21:30 GMT", 90),
        ("minutely", "Wed, 29 Jul 2020 18:21:30 GMT", 60),
        ("minutely", "1000000000", 86_400),
        ("minutely", "-3", 60),
        ("minutely", "soon", 60),
        ("minutely", "nan", 60),
        ("minutely", "inf", 60),
    ],
)
def test_nobody_calls_before_the_wait_is_over(kind: str, header: str | None, seconds: float) -> None:
    clock = Clock()
    with serving(fault.limited(kind, {"Retry-After": header} if header else None), answer()) as server:
        source = live(server, clock)
        with pytest.raises(SourceRateLimited) as caught:
            ask(source)
        assert caught.value.retry_after_s == seconds
        for share in (0.0, 0.5, 0.99):
            clock.now = NOW + timedelta(seconds=seconds * share)
            with pytest.raises(SourceRateLimited) as caught:
                ask(source)
            assert caught.value.retry_after_s == pytest.approx(seconds * (1 - share))
        assert len(server) == 1
        clock.now = NOW + timedelta(seconds=seconds)
        source.hours(REGION, NOW - 3 * HOUR, NOW)
        assert len(server) == 2


def test_a_limit_in_other_clothes_is_a_limit() -> None:
    for status in (200, 400, 500, 503):
        with serving(fault.failure(status, fault.REASONS["minutely"])) as server:
            assert isinstance(refused(server, SourceRateLimited), SourceRateLimited)
            assert len(server) == 1
    with serving(fault.failure(429, None)) as server:
        refused(server, SourceRateLimited)


def test_a_clock_set_back_does_not_lengthen_the_wait() -> None:
    clock = Clock()
    with serving(fault.limited("minutely"), answer()) as server:
        source = live(server, clock)
        for now in (NOW, NOW - timedelta(days=300)):
            clock.now = now
            with pytest.raises(SourceRateLimited) as caught:
                source.hours(REGION, now - HOUR, now)
            assert caught.value.retry_after_s == 60


def test_failures_are_counted_by_kind() -> None:
    steps = [answer(REFUSED["another city"]), fault.limited("concurrent"), fault.failure(404)]
    clock = Clock()
    with serving(*steps) as server:
        source = live(server, clock)
        for _ in steps:
            with pytest.raises(SourceError):
                ask(source)
            clock.now += timedelta(seconds=10)
    assert source.stats == {"calls": 3, "coordinates": 1, "rate_limited": 1, "status": 1}


@pytest.mark.parametrize("header", ["", "Wed, 99 Jul 2026", "\ud800", "1e3", "Wed, 29 Jul 99999 18:21:30 GMT"])
def test_a_strange_header_is_no_crash(header: str) -> None:
    assert seconds_of(header, datetime(2026, 7, 29, tzinfo=UTC)) in {None, 1000.0}


def test_the_fuzzer_finds_nothing_and_its_controls_are_found() -> None:
    assert fuzz.main(["--runs", "400", "--seed", "7"]) == 0
