"""Forecasting: from recent weather to the exceedance, level and freshness of every place of a region."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

import numpy as np
import structlog

from core.domain.forecast import TARGET, Forecast, RegionForecast, RiskLevel
from core.domain.quality import FlaggedWeather
from core.domain.told import tell
from core.domain.weather import Region
from core.errors import CloudburstError, ConfigurationError, ModelError
from core.ports import Cache, Clock, Ledger, Progress, silent
from core.risk import MEMORY, AgeLimits, Tiers
from core.workflows.levels_before import levels_before
from core.workflows.materialising import Materialising
from core.workflows.observing import Observing
from core.workflows.serving import Served, Serving
from core.workflows.sharing import Shared, Sharing
from core.workflows.situation import Situation

log = structlog.get_logger()
#: Of issues in the cache.
CATEGORY = "predictions"
#: A wall clock is put right by so much without a word.
SLACK = timedelta(minutes=1)
#: The issue of another program is shown for so many seconds more: the next one is told as soon as it is made.
AWAITED_S = 10.0
#: From a situation, the champion's issue of it and the levels before to what is shown.
Splitting = Callable[[Situation, RegionForecast, Mapping[str, RiskLevel]], RegionForecast]


@dataclass(frozen=True)
class Issue:
    """What was forecast, and the flagged weather behind it."""

    forecast: RegionForecast
    checked: FlaggedWeather
    #: What the source failed with, where older data had to stand in.
    error: CloudburstError | None = None
    #: What was known, and the features made of it.
    situation: Situation | None = None
    #: When it ends by the wall clock: the cache counts seconds of a clock that no jump moves.
    ends_at: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Say whether it is of now: a wall clock that jumped has left it behind, on either side."""
        return self.ends_at is None or self.forecast.issued_at - SLACK <= now < self.ends_at


@dataclass
class Forecasting:
    """Issues forecasts.

    The levels of the issue before are remembered, so that a level does not flicker; the first issue of a program, or of
    a term of its scheduler, goes on from those of the ledger. A place without one, or that was UNKNOWN for longer than
    `core.risk.MEMORY`, takes the plain rule.

    Parameters
    ----------
    ttl_s
        How long an issue may be shown before it is made anew, seconds.
    challengers
        How many newer versions forecast beside the champion at every refresh. Nobody is shown what they say; it is
        kept, and scored when the truth comes.
    """

    observing: Observing
    serving: Serving
    ledger: Ledger
    cache: Cache
    tiers: Tiers
    limits: AgeLimits
    clock: Clock
    ttl_s: float
    #: Where the features of issues are kept, None: nowhere.
    served_features: Materialising | None = None
    challengers: int = 0
    #: What other programs make the same issue from, None: each makes its own.
    sharing: Sharing | None = None
    #: Experiments may show a challenger's forecast at some places.
    split: Splitting = field(default=lambda _situation, champion, _before: champion)
    #: People may set other levels; the ledger keeps the model's own.
    overrule: Callable[[RegionForecast], RegionForecast] = field(default=lambda issue: issue)
    _making: threading.Lock = field(default_factory=threading.Lock)
    #: Last known level of every place and when it was issued, by region; written by whoever holds `_making`.
    _known: dict[str, dict[str, tuple[RiskLevel, datetime]]] = field(default_factory=dict)
    _term: int = 0

    def current(self, region_id: str, told: Progress = silent) -> Issue:
        """Return the current issue of a region, made now where none is fresh enough.

        A failing source or model is no exception: the issue then says so in `problems`, and its levels are UNKNOWN
        where nothing can be said.

        Raises
        ------
        ConfigurationError, SourceError, DataError
            If the region itself is not known.
        """
        cached = self._held(region_id)
        if cached is None:
            told(0.05, "waiting for whoever prepares it")
            with self._making:  # whoever waited here finds the issue made
                cached = self._held(region_id)
                if cached is None:
                    cached = self._shared(region_id) or self._make(region_id, told)
        return cached

    def state(self) -> str:
        """Return a text that changes when an issue of any region begins or ends: what was made of others is over."""
        now = self.clock()
        held = [self.cache.peek(f"issue:{region.id}") for region in self.observing.known]
        return "/".join(
            f"{i.forecast.issued_at:%H%M%S%f}-{i.forecast.version}" if i is not None and i.holds(now) else "-"
            for i in held
        )

    def forget(self, region_id: str) -> None:
        """Let the next who asks have the issue of a region made anew."""
        self.cache.delete(f"issue:{region_id}")

    def refresh(self, region_id: str) -> Issue:
        """Make the issue of a region anew and archive its newest observations."""
        issue = self.renew(region_id)
        self.keep(issue)
        return issue

    def lead(self, term: int) -> None:
        """Make the issues for all programs from now on; in a new term others may have made the one before."""
        with self._making:
            if term != self._term:
                self._term, self._known = term, {}

    def renew(self, region_id: str) -> Issue:
        """Make the issue of a region anew; nothing but the issue itself is kept."""
        with self._making:
            return self._make(region_id, silent)

    def keep(self, issue: Issue) -> None:
        """Archive the newest observations of an issue, its features, and what the challengers say.

        Raises
        ------
        ConfigurationError
            If the disk does not take them.
        """
        if issue.error is None:
            self.observing.collect(issue.forecast.region, issue.checked)
            if self.served_features is not None and issue.situation is not None:
                self.served_features.keep(issue.situation)
            if issue.situation is not None:
                self._shadow(issue.situation)

    def _shadow(self, situation: Situation) -> None:
        """Keep what the challengers say of a situation."""
        source, has_fields = situation.checked.weather.source, self.observing.fields is not None
        try:
            for version in self.serving.challengers(source, situation.region.id, self.challengers):
                served_by = partial(self.serving.version, version, source, has_fields)
                said = issued(situation, served_by, self.tiers, (), silent)
                if said.model_version is not None:  # one that is refused says nothing; the models' page says why
                    self.ledger.record_forecast(said, shown=False)
        except Exception:  # whatever it is: what nobody is shown must not keep from anybody what is shown
            log.exception("challengers could not forecast", region=situation.region.id)

    def served(self, region_id: str) -> Served:
        """Return the model that serves a region.

        Raises
        ------
        ModelError
            If it cannot be served.
        """
        has_fields = self.observing.fields is not None
        return self.serving.champion(self.observing.source.name, region_id, has_fields)

    def rule(self, region: Region) -> Tiers:
        """Return the rule of the levels of a region; not scaled to climatology where no model serves."""
        try:
            return self.tiers.of(region, self.served(region.id).manifest)
        except ModelError:
            return self.tiers.of(region)

    def _held(self, region_id: str) -> Issue | None:
        """Return the issue of a region that was made already, None where there is none of now."""
        held: Issue | None = self.cache.get(f"issue:{region_id}", category=CATEGORY)
        if held is None or held.holds(self.clock()):
            return held
        self.forget(region_id)  # of a time to come, it would be newer than all that is made from now on
        return None

    def _make(self, region_id: str, told: Progress) -> Issue:
        now = self.clock()
        told(0.1, "reading the region")
        region = self.observing.region(region_id)
        told(0.3, "reading the weather")
        recent = self.observing.recent(region, now)
        problems = [] if recent.error is None else [tell("The source failed: {error}", error=recent.error.told)]
        if recent.fields_error is not None:
            problems.append(tell("The forecast fields are missing: {error}", error=recent.fields_error.told))
        situation = Situation(region, recent.checked, self.limits, now, recent.fields, recent.members)
        known = self._known.get(region_id)
        if known is None:
            known = self._known[region_id] = levels_before(self.ledger, self.observing.source.name, region_id, now)
        before = {place: level for place, (level, at) in known.items() if now - at <= MEMORY}
        said = self._said(situation, before, tuple(problems), told)
        issue = replace(self._ended(said, situation, self.ttl_s), error=recent.error)
        if not problems and self.sharing is not None:
            shared = Shared(now, recent.checked.weather, before, recent.fields, recent.members)
            self.sharing.give(region, shared, _left_s(issue, now))
        self.cache.set(f"issue:{region_id}", issue, _left_s(issue, now), CATEGORY)
        told(1.0, "done")
        return issue

    def _shared(self, region_id: str) -> Issue | None:
        """Make the issue of another program once more, None where there is none of now."""
        region, now = self.observing.region(region_id), self.clock()
        shared = None if self.sharing is None else self.sharing.taken(region)
        lasts_s = self.ttl_s + AWAITED_S
        if shared is None or not -SLACK <= now - shared.issued_at < timedelta(seconds=lasts_s):
            return None
        checked = self.observing.checked(region, shared.weather, shared.issued_at)
        situation = Situation(region, checked, self.limits, shared.issued_at, shared.fields, shared.members)
        issue = self._ended(self._said(situation, shared.before, (), silent), situation, lasts_s)
        if not issue.holds(now):
            return None
        self.cache.set(f"issue:{region_id}", issue, _left_s(issue, now), CATEGORY)
        return issue

    def _said(
        self, situation: Situation, before: Mapping[str, RiskLevel], problems: tuple[str, ...], told: Progress
    ) -> RegionForecast:
        """Return what is said of a situation, recorded; its levels are remembered for the next issue."""
        region_id = situation.region.id
        forecast = issued(situation, lambda: self.served(region_id), self.tiers, problems, told, before=before)
        forecast = self.split(situation, forecast, before)
        known = {
            f.location_id: (f.level, situation.now) for f in forecast.forecasts if f.level is not RiskLevel.UNKNOWN
        }
        self._known[region_id] = self._known.get(region_id, {}) | known
        try:
            self.ledger.record_forecast(forecast)
        except ConfigurationError as error:  # the night goes on without a ledger, but not in silence
            unrecorded = tell("This issue was not recorded: {error}", error=error.told)
            forecast = replace(forecast, problems=(*forecast.problems, unrecorded))
        return forecast

    def _ended(self, said: RegionForecast, situation: Situation, most_s: float) -> Issue:
        """Return what is said as an issue, with the levels that people set and with its end.

        It is never shown beyond the moment when its data become stale, or a person's level ends.
        """
        forecast = self.overrule(said)
        ends = [(f.override.until - situation.now).total_seconds() for f in forecast.forecasts if f.override]
        lasts_s = min([most_s, situation.lasts_s(), *ends])
        ends_at = situation.now + timedelta(seconds=lasts_s)
        return Issue(forecast, situation.checked, situation=situation, ends_at=ends_at)


def _left_s(issue: Issue, now: datetime) -> float:
    """Return how long an issue may be shown yet, seconds."""
    return (issue.ends_at - now).total_seconds() if issue.ends_at is not None else 0.0


def issued(
    situation: Situation,
    served_by: Callable[[], Served],
    tiers: Tiers,
    problems: tuple[str, ...],
    told: Progress,
    *,
    before: Mapping[str, RiskLevel] | None = None,
) -> RegionForecast:
    """Return the issue of what is known, one forecast per place; nothing is recorded.

    Parameters
    ----------
    served_by
        Returns the model; where it raises a ModelError no level is given, and the issue says why.
    problems
        In words: what is already known to be wrong.
    before
        Levels of the issue before, by place; a place without one takes the plain rule.
    """
    told(0.6, "loading the model")
    try:
        served: Served | None = served_by()
    except ModelError as error:
        served = None
        problems = (*problems, tell("No model serves: {error}", error=error.told))
    if served is not None and served.instead:
        problems = (*problems, served.instead)
    told(0.8, "forecasting")
    weather = situation.checked.weather
    version = served.manifest.version if served else None
    return RegionForecast(
        region=situation.region,
        issued_at=situation.now,
        valid_from=situation.valid_from,
        forecasts=_forecasts(situation, served, tiers, before or {}),
        source=weather.source,
        model_version=version,
        model_source=served.manifest.source if served else None,
        model_is_seed=served is not None and served.is_seed,
        freshness=situation.freshness,
        data_at=situation.known_at(situation.newest),
        problems=problems + situation.remarks(),
        season_day=weather.season_day,
        run=weather.run,
        notes=situation.notes(served),
    )


def _forecasts(
    situation: Situation, served: Served | None, tiers: Tiers, before: Mapping[str, RiskLevel]
) -> tuple[Forecast, ...]:
    """Return the forecast of every place."""
    curves = situation.curves(served)
    previous = [before.get(place.id, RiskLevel.UNKNOWN) for place in situation.region.locations]
    rule = tiers.of(situation.region, served.manifest if served else None)
    levels = rule.levels(np.array([curve.of(TARGET) for curve, *_ in curves]), previous)
    return tuple(
        Forecast(
            location_id=place.id,
            issued_at=situation.now,
            valid_from=situation.valid_from,
            window_h=TARGET.window_h,
            exceedance=curves[i][0],
            level=levels[i],
            model_version=served.manifest.version if served else None,
            worst_flag=situation.worst_flag(i),
            freshness=situation.fresh[i],
            data_at=situation.known_at(situation.seen[i]),
            reasons=situation.reasons(i),
            others=curves[i][1:],
        )
        for i, place in enumerate(situation.region.locations)
    )
