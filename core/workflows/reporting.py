"""Reporting: bulletins and reports as documents, in the language and the local time of their readers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.domain.document import Block, Document, Facts, Heading, Paragraph
from core.domain.forecast import DEFAULT_WINDOW, TARGET, RegionForecast
from core.domain.learning import ModelManifest
from core.domain.report import ReportKind, ReportRequest, Section
from core.domain.units import floor_hour
from core.errors import CloudburstError, ConfigurationError, ModelError
from core.ports import Clock, ModelStore, Progress, silent
from core.workflows import explaining, reporting_bulletin, reporting_quality, reporting_verification
from core.workflows.appraising import Appraising
from core.workflows.forecasting import Forecasting, Issue
from core.workflows.reporting_measures import meant, verdict
from core.workflows.reporting_words import Voice, footer, masthead, no_authority, warnings
from core.workflows.scoring import Scoring

#: What verification and quality look at where nobody names a period.
DEFAULT_PERIOD = timedelta(days=30)
#: A bulletin tells of the quality of the last day.
QUALITY_PERIOD = timedelta(hours=24)
#: Places whose drivers a bulletin tells.
DRIVEN = 3


@dataclass(frozen=True)
class Reporting:
    """Composes reports of what the house knows; makes no number of its own."""

    forecasting: Forecasting
    scoring: Scoring
    quality: Appraising
    store: ModelStore
    clock: Clock

    def document(self, request: ReportRequest, told: Progress = silent) -> Document:
        """Return the report that is asked for.

        What one section cannot know (a ledger that does not answer, say) stands in it in words; the others are there.

        Raises
        ------
        ConfigurationError
            If the region is not known or the period cannot be.
        SourceError, DataError
            If the region itself cannot be read.
        """
        told(0.05, "reading the issue")
        now = self.clock()
        issue = self.forecasting.current(request.region_id, told)
        period = _period(request, now)
        voice = Voice.of(request.language, issue.forecast.region)
        told(0.4, "composing the report")
        if request.kind is ReportKind.BULLETIN:
            made = self._bulletin(request, issue, voice)
        elif request.kind is ReportKind.VERIFICATION:
            made = self._verification(request, issue.forecast, period, voice)
        else:
            made = self._quality(request, issue.forecast, period, voice)
        told(1.0, "done")
        return made

    def _bulletin(self, request: ReportRequest, issue: Issue, voice: Voice) -> Document:
        made, now = issue.forecast, self.clock()
        blocks: list[Block] = [*reporting_bulletin.headline(made, voice), no_authority(voice), *warnings(made, voice)]
        if request.wants(Section.MAP):
            blocks += reporting_bulletin.level_map(made, self.forecasting.rule(made.region), voice)
        if request.wants(Section.DISTRICTS):
            blocks += reporting_bulletin.districts(made, voice)
        if request.wants(Section.PLACES):
            blocks += reporting_bulletin.places(made, voice)
        if request.wants(Section.DRIVERS):
            blocks += self._drivers(issue, voice)
        if request.wants(Section.SKILL):
            blocks += self._skill(made, now, voice)
        if request.wants(Section.QUALITY):
            blocks += self._data_quality(made.region.id, now, voice)
        if request.wants(Section.LIMITS):
            blocks += self._model(made, voice)
        valid = (made.valid_from, made.valid_from + timedelta(hours=TARGET.window_h))
        head = (
            (voice.say("Issued"), voice.moment(made.issued_at)),
            (voice.say("Valid"), voice.period(*valid)),
            *masthead(made, now, voice),
        )
        title = voice.say("Bulletin of extreme short-duration rain")
        return _document(title, made, head, blocks=blocks, voice=voice, now=now)

    def _drivers(self, issue: Issue, voice: Voice) -> list[Block]:
        names = {place.id: place.name for place in issue.forecast.region.locations}
        first = issue.forecast.ranked()[:DRIVEN]
        found = {names[f.location_id]: explaining.drivers(issue, f.location_id, self.forecasting) for f in first}
        return reporting_bulletin.drivers(found, voice)

    def _skill(self, made: RegionForecast, now: datetime, voice: Voice) -> list[Block]:
        """Return how often such numbers came true, or why nobody knows."""
        head = Heading(voice.say("How often such numbers came true"))
        if self.scoring.no_truth:
            return [head, self._unverified(voice), *reporting_verification.brought(self._manifest(made), voice)]
        try:
            cases = self.scoring.verifying.issued(made.region.id, DEFAULT_WINDOW, floor_hour(now) - DEFAULT_PERIOD)
            found = self.scoring.report(cases, TARGET)
        except CloudburstError as error:
            return [head, _failed(error, voice)]
        if found is None:
            text = voice.say(
                "Not verified: no forecast of the last thirty days has both a probability and a known truth."
            )
            return [head, Paragraph(text), *reporting_verification.brought(self._manifest(made), voice)]
        return [head, *verdict(found, voice), meant(found, voice)]

    def _unverified(self, voice: Voice) -> Paragraph:
        return Paragraph(voice.say("Not verified: {why}", why=voice.say(self.scoring.no_truth)))

    def _data_quality(self, region_id: str, now: datetime, voice: Voice) -> list[Block]:
        head = Heading(voice.say("Quality of the data"))
        try:
            found = self.quality.report(region_id, floor_hour(now) - QUALITY_PERIOD, now)
        except CloudburstError as error:
            return [head, _failed(error, voice)]
        return [head, *reporting_quality.warnings(found, voice), reporting_quality.metrics(found.metrics, voice)]

    def _model(self, made: RegionForecast, voice: Voice) -> list[Block]:
        """Return which model spoke, what it learned from, and what it cannot know."""
        manifest = self._manifest(made)
        blocks: list[Block] = [Heading(voice.say("Model and limits"))]
        if manifest is not None:
            data = manifest.trained_on
            blocks.append(
                Facts(
                    (
                        (voice.say("Model"), manifest.version),
                        (voice.say("Method"), manifest.algorithm.replace("_", " ")),
                        (voice.say("Learned from"), ", ".join(filter(None, (voice.source(data.source), data.area)))),
                        (voice.say("Period"), f"{data.begin:%Y-%m-%d} – {data.end:%Y-%m-%d}"),
                        (voice.say("Stations"), voice.number(data.stations)),
                        (voice.say("Cases"), voice.number(data.rows)),
                        (voice.say("Events"), voice.number(data.events)),
                    )
                )
            )
        said = (
            voice.say("A probability is of one place and its window; it says nothing of how much will fall elsewhere."),
            voice.say(
                "Gauges and grids miss most cloudbursts: 6 of 18 reported Himalayan ones are in the national grid."
            ),
            voice.say("Thresholds marked as extrapolated had too few events to be trained on; they are not verified."),
        )
        return [*blocks, *(Paragraph(text) for text in said)]

    def _verification(
        self, request: ReportRequest, issue: RegionForecast, period: tuple[datetime, datetime], voice: Voice
    ) -> Document:
        now, begin, end = self.clock(), *period
        blocks: list[Block] = [*warnings(issue, voice)]
        versions: Sequence[str] = ()
        if self.scoring.no_truth:
            blocks += [self._unverified(voice), *reporting_verification.brought(self._manifest(issue), voice)]
            found = None
        else:
            cases = self.scoring.verifying.issued(issue.region.id, DEFAULT_WINDOW, begin, end)
            found, versions = self.scoring.report(cases, TARGET), cases.model_versions
            blocks += reporting_verification.blocks(request, cases, found, voice)
            if found is None:
                blocks += reporting_verification.brought(self._manifest(issue), voice)
        if request.wants(Section.LIMITS):
            blocks += reporting_verification.limits(found, voice)
        head = (
            (voice.say("Period"), voice.period(begin, end)),
            (voice.say("Event"), voice.within(TARGET)),
            *masthead(issue, now, voice),
            (voice.say("Models that issued"), ", ".join(versions) or voice.say("none")),
        )
        return _document(voice.say("Verification report"), issue, head, blocks=blocks, voice=voice, now=now)

    def _quality(
        self, request: ReportRequest, issue: RegionForecast, period: tuple[datetime, datetime], voice: Voice
    ) -> Document:
        now, (begin, end) = self.clock(), period
        found = self.quality.report(issue.region.id, begin, end)
        due_at = now - self.forecasting.limits.of(issue.region).amber
        blocks = [*warnings(issue, voice), *reporting_quality.blocks(request, found, due_at, voice)]
        if request.wants(Section.LIMITS):
            blocks += reporting_quality.limits(voice)
        head = (
            (voice.say("Period"), voice.period(found.begin, found.end)),
            (voice.say("Stations"), voice.number(len(found.region.locations))),
            *masthead(issue, now, voice),
        )
        return _document(voice.say("Data quality report"), issue, head, blocks=blocks, voice=voice, now=now)

    def _manifest(self, issue: RegionForecast) -> ModelManifest | None:
        """Return the manifest of the model that made an issue, None where there is none to be read."""
        try:
            return None if issue.model_version is None else self.store.manifest(issue.model_version)
        except ModelError:
            return None


def _failed(error: CloudburstError, voice: Voice) -> Paragraph:
    return Paragraph(voice.say("This cannot be told now: {why}", why=error.message))


def _document(
    title: str,
    issue: RegionForecast,
    head: Sequence[tuple[str, str]],
    *,
    blocks: Sequence[Block],
    voice: Voice,
    now: datetime,
) -> Document:
    return Document(
        title=title,
        subtitle=f"{issue.region.name} · Cloudburst Watch",
        language=voice.language.code,
        masthead=Facts(tuple(head)),
        blocks=tuple(blocks),
        footer=footer(issue, now, voice),
        page=voice.language.texts.get("Page {n} of {all}", "Page {n} of {all}"),
        made_at=now,
    )


def _period(request: ReportRequest, now: datetime) -> tuple[datetime, datetime]:
    """Return the period of a request, which ends now at the latest.

    Raises
    ------
    ConfigurationError
        If it ends before it begins.
    """
    if request.period is None:
        return floor_hour(now) - DEFAULT_PERIOD, now
    begin, end = request.period[0], min(request.period[1], now)
    if begin >= end:
        raise ConfigurationError(
            "The period of the report ends before it begins.",
            hint="Give a beginning before the end, and not after the present hour.",
        )
    return begin, end
