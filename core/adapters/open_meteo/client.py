"""Asking Open-Meteo over HTTP: one request at a time, within a total deadline, a size, a budget and its patience."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus

import httpx

from core.adapters.open_meteo.answers import Batch, check, load, reason_of
from core.adapters.open_meteo.budget import Budget
from core.adapters.open_meteo.contract import BYTES_PER_100_PLACES, Endpoint, Query, most_bytes
from core.adapters.open_meteo.exchange import ERROR_BYTES, Passing, Reply, broken_off, checked_base, exchange
from core.adapters.open_meteo.runs import run_of
from core.adapters.open_meteo.waits import MINUTE_S, seconds_of, wait_of
from core.adapters.resilience import Deadline, DeadlineExceeded, within
from core.domain.told import tell
from core.domain.weather import ModelRun
from core.errors import SourceError, SourceRateLimited, SourceResponseInvalid, SourceUnavailable
from core.ports import Clock

DEADLINE_S = 10.0
TRIES = 3
#: Full jitter: the wait after try n is drawn from 0 to FIRST_WAIT_S x 2^n (AWS Architecture Blog, "Exponential
#: backoff and jitter", 2015).
FIRST_WAIT_S = 0.3
#: Trouble on the way that may be over in a moment. 4xx stays what it is however often it is asked.
PASSING = frozenset({500, 502, 503, 504})
_LAST_GOOD = "The last good data stand in, with their age; the next refresh tries again."


class OpenMeteoClient:
    """Client of the four endpoints.

    Parameters
    ----------
    clock
        Tells the time of budget and waits.
    base_url
        Address of a self-hosted instance or a test server, "" for the public service.
    transport
        Stands in for the network in tests.
    deadline_s
        Seconds that one call may take in all, tries and waits included.
    bytes_per_100_places
        Cap of a decoded answer.
    budget
        Weighted calls; by default the free limits less a tenth.
    wait, chance
        Sleep between tries, and a number in 0..1 for its jitter.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        base_url: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
        deadline_s: float = DEADLINE_S,
        bytes_per_100_places: int = BYTES_PER_100_PLACES,
        budget: Budget | None = None,
        wait: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._base = checked_base(base_url)
        self._clock = clock
        self._transport = transport
        self._deadline_s = deadline_s
        self.bytes_per_100_places = bytes_per_100_places
        self.budget = budget or Budget(clock)
        self._wait = wait
        self._chance = chance
        self._one = threading.Lock()
        self._stats: Counter[str] = Counter()

    @property
    def stats(self) -> dict[str, int]:
        """Calls, answers, extra fields, and failures by kind, for the monitoring page."""
        return dict(self._stats)

    @property
    def shut_s(self) -> float:
        """Seconds until the service may be called again, 0 where it may be now."""
        return self.budget.held_s()

    def deadline(self) -> Deadline:
        """Return a deadline that begins now, to be shared by the calls of one task."""
        return Deadline(self._deadline_s)

    def fetch(self, query: Query, deadline: Deadline | None = None) -> Batch:
        """Return the checked answer to one request.

        Raises
        ------
        SourceUnavailable
            If the service cannot be reached, fails or redirects, or the deadline is over.
        SourceRateLimited
            If it says wait, has said so before and the time is not over, or the budget is spent; in the last two
            cases nothing was sent.
        SourceResponseInvalid
            If its answer is not as agreed, or it calls the request wrong.
        """
        deadline = deadline or self.deadline()
        if not self._one.acquire(timeout=deadline.left):
            raise self._late()
        try:
            batch = self._tries(query, deadline)
            self._stats["answers"] += 1
            self._stats["extra_fields"] += batch.extra_fields
            return batch
        except SourceError as error:
            self._stats[str(error.context.get("fault", type(error).__name__))] += 1
            raise
        finally:
            self._one.release()

    def newest_run(self, model: str, deadline: Deadline) -> ModelRun | None:
        """Return the newest run of one weather model, None where the server does not have that model.

        It is asked once, and counts nothing in the budget, as with the service.

        Raises
        ------
        SourceUnavailable, SourceRateLimited, SourceResponseInvalid
            As `fetch`.
        """
        if not self._one.acquire(timeout=deadline.left):
            raise self._late()
        try:
            self._pass_gate()
            url = f"{self._base or Endpoint.FORECAST.host}/data/{model}/static/meta.json"
            reply = self._send(url, {}, ERROR_BYTES, deadline)
            if reply.status == HTTPStatus.NOT_FOUND:
                return None
            if reply.status != HTTPStatus.OK:
                raise self._refusal(reply)
            return run_of(load(reply.body), model, self._clock())
        except Passing as failure:
            raise _given_up(failure, 1) from None
        finally:
            self._one.release()

    def _tries(self, query: Query, deadline: Deadline) -> Batch:
        for number in range(TRIES):
            if not deadline.left:
                raise self._late()
            self._pass_gate()
            self.budget.take(query.weight)
            self._stats["calls"] += 1
            try:
                url = (self._base or query.endpoint.host) + query.endpoint.path
                cap = most_bytes(query, self.bytes_per_100_places)
                return self._read(self._send(url, query.params, cap, deadline), query)
            except Passing as failure:
                self._stats["failed_tries"] += 1
                pause = self._chance() * FIRST_WAIT_S * 2**number
                if number == TRIES - 1 or pause >= deadline.left:
                    raise _given_up(failure, number + 1) from None
                self._wait(pause)
        raise AssertionError("every last try returns or raises")

    def _pass_gate(self) -> None:
        left = self.budget.held_s()
        if left > 0:
            raise SourceRateLimited(
                "Open-Meteo has asked to wait.",
                hint=tell("It is called again in {s:.0f} s.", s=left),
                retry_after_s=left,
                fault="waiting",
            )

    def _send(self, url: str, params: dict[str, str], cap: int, deadline: Deadline) -> Reply:
        """Send one request and return the reply; everything that httpx may raise ends here."""
        try:
            return within(deadline, lambda: exchange(url, params, cap, self._transport))
        except DeadlineExceeded:
            raise self._late() from None
        except (Passing, SourceError):
            raise
        except httpx.TransportError as error:  # refused, reset, cut off, timed out, name not found
            raise Passing(f"{type(error).__name__} on the way", "unavailable") from None
        except Exception as error:  # the kind alone: its text may hold addresses
            raise SourceUnavailable(
                f"Open-Meteo cannot be called: {type(error).__name__}.",
                hint="Check CLOUDBURST_OPEN_METEO_URL.",
                fault="unavailable",
            ) from None

    def _read(self, reply: Reply, query: Query) -> Batch:
        """Return the checked answer, or raise what the reply means."""
        if reply.status != HTTPStatus.OK:
            raise self._refusal(reply)
        if broken_off(reply.body):
            raise Passing("it broke off in the middle of an answer", "broken_off")
        document = load(reply.body)
        reason = reason_of(document)
        if reason is not None and wait_of(reason, self._clock()) is not None:
            raise self._limited(reason, reply.retry_after)
        return check(document, query)

    def _refusal(self, reply: Reply) -> Exception:
        """Return the error behind a status other than 200."""
        try:
            reason = reason_of(load(reply.body)) or ""
        except SourceResponseInvalid:
            reason = ""
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS or wait_of(reason, self._clock()) is not None:
            return self._limited(reason, reply.retry_after)
        if reply.status in PASSING:
            return Passing(f"it answered {reply.status}", "unavailable")
        if reply.status == HTTPStatus.BAD_REQUEST:
            return SourceResponseInvalid(
                f"Open-Meteo calls the request wrong: {reason or 'no reason given'}.",
                hint="A period outside what it holds, or a change of the service.",
                fault="bad_request",
            )
        moved = reply.status < HTTPStatus.BAD_REQUEST
        what = "redirects elsewhere, which is not followed" if moved else f"answered {reply.status}"
        return SourceUnavailable(
            f"Open-Meteo {what}.", hint="Check CLOUDBURST_OPEN_METEO_URL.", fault="status", status=reply.status
        )

    def _limited(self, reason: str, header: str | None) -> SourceRateLimited:
        """Shut the gate for everybody and return the error that says for how long."""
        now = self._clock()
        seconds = seconds_of(header, now) or wait_of(reason, now) or MINUTE_S
        self.budget.hold(seconds)
        return SourceRateLimited(
            "Open-Meteo has asked to wait.",
            hint=tell("It is called again in {s:.0f} s.", s=seconds),
            retry_after_s=seconds,
            fault="rate_limited",
        )

    def _late(self) -> SourceUnavailable:
        return SourceUnavailable(
            tell("Open-Meteo did not answer within {s:g} s.", s=self._deadline_s), hint=_LAST_GOOD, fault="deadline"
        )


def _given_up(failure: Passing, tries: int) -> SourceError:
    """Return the error after the last try: an answer that never ends is no answer, all else is a service away."""
    kind = SourceResponseInvalid if failure.fault == "broken_off" else SourceUnavailable
    return kind(f"Open-Meteo cannot be used: {failure}.", hint=_LAST_GOOD, fault=failure.fault, tries=tries)
