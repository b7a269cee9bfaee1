"""Alerting: every issue meets the rules of its region; what is raised, changed and ended is kept and told."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.domain.alerts import (
    DEFAULT_ID,
    Acknowledgement,
    Alert,
    AlertRule,
    Seen,
    State,
    alert_id,
    default_rule,
    step,
)
from core.domain.districts import DistrictRisk, by_district, districts_of
from core.domain.forecast import Forecast, RegionForecast
from core.domain.notices import Notice, NoticeKind
from core.domain.units import floor_hour
from core.ports import AlertRecords
from core.workflows.alert_history import AlertHistory
from core.workflows.overruling import Overruling, require

NO_AUTHORITY = "Cloudburst Watch is no alerting authority: this is no official warning."
#: Where an alert is that is of the places in no district.
OUTSIDE = "places outside every district"
#: An issue can be valid from the hour that is about to begin; a state of a later one was kept while a clock was ahead.
AHEAD = timedelta(hours=1)


@dataclass
class Alerting:
    """Rules, alerts and what was told of them; `levels` are those that people set, `past` is how it all did."""

    levels: Overruling
    past: AlertHistory
    #: Says whether a notice is kept for certain, so that it need not be told again.
    tell: Callable[[Notice], bool] = field(default=lambda _notice: True)

    @property
    def records(self) -> AlertRecords:
        """What is written down."""
        return self.levels.records

    @property
    def source(self) -> str:
        """Provenance of the weather behind the alerts."""
        return self.levels.source.name

    def rules(self, region_id: str) -> tuple[AlertRule, ...]:
        """Return the rules of a region: the default one where nobody changed or removed it."""
        kept = self.records.rules(region_id)
        own = [] if DEFAULT_ID in kept else [default_rule(region_id)]
        return (*own, *(rule for rule in kept.values() if rule is not None))

    def set_rule(self, rule: AlertRule, who: str) -> None:
        """Keep a rule, new or in the place of the one of its id."""
        self.records.keep_rule(rule, require(who), self.levels.clock())

    def remove_rule(self, rule: AlertRule, who: str) -> None:
        """Remove a rule; its alerts end now, and are told."""
        now = self.levels.clock()
        self.records.keep_rule(rule, require(who), now, removed=True)
        self.records.keep_states(
            self.source,
            rule.region_id,
            rule.id,
            dict.fromkeys(self.records.states(self.source, rule.region_id, rule.id), State()),
        )
        for alert in self.standing(rule.region_id):
            if alert.rule_id == rule.id:
                self.records.ended(alert.id, floor_hour(now), now)
        self._tell(rule.region_id)

    def standing(self, region_id: str) -> tuple[Alert, ...]:
        """Return the alerts that stand, the newest first."""
        return self.records.alerts(self.source, region_id)

    def acknowledge(self, alert: Alert, *, who: str, why: str) -> None:
        """Keep that somebody has seen an alert and takes care of it.

        Raises
        ------
        UnfitInput
            If nobody is named or no reason is given.
        """
        self.records.acknowledge(Acknowledgement(alert.id, self.levels.clock(), require(who), require(why)))

    def evaluate(self, issue: RegionForecast) -> tuple[NoticeKind, ...]:
        """Lead every rule of a region over an issue; return what happened, which was kept and told.

        Of several processes that do so at once, one raises, changes and ends an alert.

        Raises
        ------
        ConfigurationError
            If the records do not answer.
        """
        if issue.source != self.source:
            return ()
        self.records.watch(self.source, issue.region.id, issue.valid_from)
        happened: list[NoticeKind] = []
        for rule in self.rules(issue.region.id):
            happened += self._evaluated(rule, issue)
        self._tell(issue.region.id)
        return tuple(happened)

    def _evaluated(self, rule: AlertRule, issue: RegionForecast) -> list[NoticeKind]:
        before = self.records.states(self.source, rule.region_id, rule.id)
        standing = {a.area: a for a in self.standing(rule.region_id) if a.rule_id == rule.id}
        after, happened, latest = {}, [], self.levels.clock() + AHEAD
        for district in by_district(issue, rule.event):
            seen = Seen(issue.valid_from, district.level, district.probability)
            state = _as_recorded(before.get(district.name, State()), standing.get(district.name), latest)
            after[district.name], kind = step(rule, state, seen)
            done = self._done(rule, issue, district, standing.get(district.name), kind)
            happened += [] if done is None else [done]
        changed = {area: state for area, state in after.items() if state != before.get(area)}
        if changed:
            self.records.keep_states(self.source, rule.region_id, rule.id, changed)
        return happened

    def _done(
        self,
        rule: AlertRule,
        issue: RegionForecast,
        district: DistrictRisk,
        alert: Alert | None,
        kind: NoticeKind | None,
    ) -> NoticeKind | None:
        """Keep what a step made of an alert; return what was new."""
        at = issue.issued_at
        if kind is NoticeKind.RAISED:
            new = self.records.raised(_raised(rule, issue, district, _reaching(rule, issue, district.name)))
        elif alert is None:
            return None
        elif kind is NoticeKind.ENDED:
            new = self.records.ended(alert.id, issue.valid_from, at)
        else:
            places = tuple(f.location_id for f in _reaching(rule, issue, district.name))
            graver = self.records.risen(alert.id, district.level, district.probability, places, at)
            kind, new = (NoticeKind.CHANGED, True) if graver else (None, False)
        return kind if new else None

    def trial(self, issue: RegionForecast, who: str) -> Notice:
        """Tell a notice that says it is a trial, as an alert of this issue's gravest district would be told."""
        district = by_district(issue)[0]
        now = self.levels.clock()
        made = _raised(default_rule(issue.region.id), issue, district, [])
        notice = notice_of(made, NoticeKind.TRIAL, now, issue.simulated, f"Asked for by {require(who)}.")
        self.tell(notice)
        return notice

    def _tell(self, region_id: str) -> None:
        """Tell what was recorded and not told, here or by a process that died in between: told twice it is one.

        What could not be kept on the disk is told again with the next issue, or by the next process.
        """
        for alert, kind in self.records.untold(self.source, region_id):
            if self.tell(notice_of(alert, kind, alert.changed_at, alert.simulated)):
                self.records.told(alert.id, kind)


def notice_of(alert: Alert, kind: NoticeKind, at: datetime, simulated: bool, more: str = "") -> Notice:
    """Return what is told of an alert: whole in itself, and the same however often it is made of the same."""
    where = alert.area or OUTSIDE
    level = alert.level.value.capitalize()
    trial = "TRIAL, nothing has happened: " if kind is NoticeKind.TRIAL else ""
    verb = {NoticeKind.ENDED: "ended", NoticeKind.CHANGED: "changed"}.get(kind, "raised")
    said = f"set by {alert.said_by}" if alert.said_by else f"model {alert.model_version or 'none'}"
    simulation = "Simulated weather, nothing real. " if simulated else ""
    text = (
        f"{trial}{simulation}Alert {verb} for {where}: {level}. Highest probability of {alert.event.text} "
        f"{alert.event.window.within}: {_percent(alert.probability)}. Valid from {alert.begun:%d %b %Y %H:%M} UTC. "
        f"Rule: {alert.rule_text}. Data: {alert.source_text}; {said}. {more + ' ' if more else ''}{NO_AUTHORITY}"
    )
    stamp = at.isoformat() if kind is NoticeKind.TRIAL else alert.level.value
    key = hashlib.sha256(repr((alert.id, kind.value, stamp)).encode()).hexdigest()[:24]
    headline = f"{trial}{level} {verb}: {where}{' (Simulated)' if simulated else ''}"
    return Notice(
        key, kind, alert.region_id, at, alert.level, headline, text, alert.source_text, simulated,
        alert.model_version or None, alert.places,
    )  # fmt: skip


def _percent(probability: float) -> str:
    return "not known" if math.isnan(probability) else f"{100 * probability:.2g} %"


def _as_recorded(state: State, alert: Alert | None, latest: datetime) -> State:
    """Return a state that agrees with the records: another process may have written the one and not yet the other.

    One of an hour after the `latest` begins anew.
    """
    if state.hour is not None and state.hour > latest:
        state = State(standing=state.standing, peak=state.peak)
    if (alert is not None) == state.standing:
        return state
    if alert is None:
        return State(hour=state.hour)
    return State(hour=state.hour, standing=True, peak=alert.level)


def _reaching(rule: AlertRule, issue: RegionForecast, area: str) -> list[Forecast]:
    """Return the forecasts of a district that reach a rule by themselves."""
    found = zip(districts_of(issue.region), issue.forecasts, strict=True)
    return [
        f
        for name, f in found
        if name == area and rule.reached(Seen(issue.valid_from, f.level, f.exceedance.of(rule.event)), standing=False)
    ]


def _raised(rule: AlertRule, issue: RegionForecast, district: DistrictRisk, reaching: list[Forecast]) -> Alert:
    people = [f.override.who for f in reaching if f.override is not None and f.level is district.level]
    return Alert(
        id=alert_id(issue.source, rule, district.name, issue.valid_from),
        source=issue.source,
        region_id=issue.region.id,
        rule_id=rule.id,
        rule_text=rule.text,
        event=rule.event,
        area=district.name,
        begun=issue.valid_from,
        raised_at=issue.issued_at,
        changed_at=issue.issued_at,
        level=district.level,
        probability=district.probability,
        places=tuple(sorted(f.location_id for f in reaching)),
        model_version=issue.model_version or "",
        source_text=issue.source_text,
        said_by=people[0] if people and len(people) == _gravest(reaching, district) else "",
    )


def _gravest(reaching: list[Forecast], district: DistrictRisk) -> int:
    return sum(f.level is district.level for f in reaching)
