"""Which model run stands behind the answers: they do not say it, the service's page about its models does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from core.adapters.open_meteo.answers import refuse
from core.adapters.resilience import Deadline
from core.domain.weather import ModelRun
from core.errors import SourceError
from core.ports import Clock

#: What the service mixes where no regional model is at hand, South Asia among it ("best match"): ICON, and GFS on two
#: grids for what ICON lacks (Sources/App/Controllers/ForecastapiController.swift of open-meteo/open-meteo).
MODELS = ("dwd_icon", "ncep_gfs013", "ncep_gfs025")
#: Runs come every six hours; asking costs no calls of the budget (open-meteo.com/en/docs/model-updates).
KEPT = timedelta(minutes=10)
#: All models together: an answer is worth more than its age.
DEADLINE_S = 2.0
#: The service's clock may be ahead of ours by so much.
AHEAD = timedelta(minutes=10)


class Runs:
    """Knows the oldest of the newest runs of the models that are mixed: the data are as old as the oldest of them.

    Parameters
    ----------
    clock
        Tells the time.
    ask
        Returns the newest run of one model, None where the server does not have that model; raises SourceError.
    """

    def __init__(self, clock: Clock, ask: Callable[[str, Deadline], ModelRun | None]) -> None:
        self._clock = clock
        self._ask = ask
        self._known: dict[str, ModelRun | None] = {}
        self._asked_at: datetime | None = None

    def oldest(self, deadline: Deadline) -> ModelRun:
        """Return the oldest run; one without times where it is not known.

        It is asked for before the data: a run that comes out in between makes them younger than said, never older.
        What a model's run was when it could last be asked stays, and grows older.
        """
        now = self._clock()
        if self._asked_at is None or not timedelta() <= now - self._asked_at < KEPT:
            self._look(Deadline(min(DEADLINE_S, deadline.left)))
            self._asked_at = now
        runs = [run for run in self._known.values() if run is not None]
        if not runs or len(self._known) < len(MODELS):
            return ModelRun()
        return min(runs, key=lambda run: run.out_at or datetime.max.replace(tzinfo=UTC))

    def _look(self, deadline: Deadline) -> None:
        for model in MODELS:
            try:
                self._known[model] = self._ask(model, deadline)
            except SourceError:  # the page about a model is not needed to forecast: its age grows instead
                return


def run_of(document: Any, model: str, now: datetime) -> ModelRun:
    """Return the newest run that the page about a model names.

    Raises
    ------
    SourceResponseInvalid
        If it does not name one, or one that came out before it began or lies in the future.
    """
    if not isinstance(document, dict):
        refuse("run", f"about {model} is no object")
    begun_at, out_at = (
        _moment(document.get(f"last_run_{what}_time"), model) for what in ("initialisation", "availability")
    )
    if not begun_at <= out_at <= now + AHEAD:
        refuse("run", f"about {model} names a run that cannot be")
    return ModelRun(model, begun_at, out_at)


def _moment(seconds: Any, model: str) -> datetime:
    # Seconds since 1970, up to the year 2100.
    if type(seconds) is not int or not 0 < seconds < 4_102_444_800:
        refuse("run", f"about {model} names no run")
    return datetime.fromtimestamp(seconds, UTC)
