"""Tabulating: what the house knows as a workbook, one for every kind of report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.domain.experiment_analysis import ExperimentAnalysis
from core.domain.forecast import DEFAULT_WINDOW, TARGET, RegionForecast
from core.domain.levels import LEVELS
from core.domain.lifecycle import Deployment
from core.domain.report import ReportKind, ReportRequest
from core.domain.workbook import CUT, FLAGS, NOTE, PROVENANCE, ROWS, SHEET, Sheet, Workbook
from core.errors import CloudburstError, DataError
from core.ports import Clock, Ledger, Progress, silent
from core.words import Language, language
from core.workflows import tables_of_issue, tables_of_models, tables_of_quality, tables_of_verification
from core.workflows.appraising import Appraising
from core.workflows.experimenting import Experimenting
from core.workflows.forecasting import Forecasting
from core.workflows.scoring import Scoring, VerificationReport
from core.workflows.tables_words import age_text

#: What verification and quality look at where no period is asked for.
PERIOD = timedelta(days=30)
#: Changes of the model that serves: more than a house makes in its life.
MOST_DEPLOYMENTS = 10_000
MOMENT = "dd MMM yyyy HH:mm"


@dataclass(frozen=True)
class Tabulating:
    """Composes workbooks from what others compute; it computes nothing itself, and rows are made when they are read."""

    forecasting: Forecasting
    scoring: Scoring
    quality: Appraising
    experiments: Experimenting
    ledger: Ledger
    clock: Clock

    def workbook(self, request: ReportRequest, told: Progress = silent) -> Workbook:
        """Return the workbook of a report.

        A part that fails says so in the note of its sheet: the others are of use all the same.

        Raises
        ------
        ConfigurationError, SourceError, DataError
            If the region is not known, the period makes no sense, or the ledger does not answer.
        """
        words, now = language(request.language), self.clock()
        told(0.05, "reading the current issue")
        issue = self.forecasting.current(request.region_id, told)
        period = request.period or (now - PERIOD, now)
        if request.kind is ReportKind.BULLETIN:
            sheets = tuple(tables_of_issue.sheets(words, issue, request))
        elif request.kind is ReportKind.VERIFICATION:
            sheets = tuple(self._verification(words, issue.forecast, period, told))
        else:
            told(0.3, "checking the observations")
            sheets = tuple(tables_of_quality.sheets(words, self.quality.report(request.region_id, *period)))
        told(0.9, "writing the tables")
        told_of = None if request.kind is ReportKind.BULLETIN else period
        return Workbook(
            title=_title(words, request.kind, issue.forecast),
            about=_about(words, issue.forecast, now, told_of),
            sheets=sheets,
            words=_words(words),
            made_at=now,
        )

    def _verification(
        self, words: Language, issue: RegionForecast, period: tuple[datetime, datetime], told: Progress
    ) -> Iterator[Sheet]:
        region = issue.region
        told(0.3, "reading what was issued")
        cases = self.scoring.verifying.issued(region.id, DEFAULT_WINDOW, *period)
        yield tables_of_verification.cases_sheet(words, cases, region, self.scoring.no_truth)
        told(0.5, "scoring")
        found: VerificationReport | None = None
        problem = self.scoring.no_truth
        try:
            found = self.scoring.report(cases, TARGET)
        except DataError as error:  # too good to be true: nothing is claimed
            problem = str(error)
        yield tables_of_verification.scores_sheet(words, found, problem)
        yield tables_of_verification.reliability_sheet(words, found, problem)
        told(0.8, "reading the life of the models")
        yield from tables_of_models.sheets(words, *self._life(region.id))

    def _life(self, region_id: str) -> tuple[Sequence[ExperimentAnalysis], Sequence[Deployment], str]:
        """Return the experiments and deployments of a region, and why they are not whole."""
        source = self.forecasting.observing.source.name
        try:
            mine = [e for e in self.experiments.files.experiments() if (e.source, e.region_id) == (source, region_id)]
            found = [self.experiments.analyse(one.id) for one in mine]
            return found, self.ledger.deployments(source, region_id, MOST_DEPLOYMENTS), ""
        except CloudburstError as error:
            return (), (), str(error)


def _title(words: Language, kind: ReportKind, issue: RegionForecast) -> str:
    titles = {
        ReportKind.BULLETIN: words.say("Bulletin of extreme rain: {region}", region=issue.region.name),
        ReportKind.VERIFICATION: words.say("Verification of the forecasts: {region}", region=issue.region.name),
        ReportKind.QUALITY: words.say("Quality of the observations: {region}", region=issue.region.name),
    }
    return f"{titles[kind]} ({words.say('Simulated')})" if issue.simulated else titles[kind]


def _about(
    words: Language, issue: RegionForecast, now: datetime, period: tuple[datetime, datetime] | None
) -> Mapping[str, str]:
    """Return what a reader must know before any number: when, from what, how old, by which model."""
    say = words.say

    def moment(at: datetime | None) -> str:
        return words.moment(at, UTC, MOMENT)

    model = issue.model_version or say("no model serves")
    seed = say("the shipped model") if issue.model_is_seed else ""
    source = say(issue.source_text)
    about = {
        say("Region"): f"{issue.region.name} ({issue.region.id})",
        say("Made at (UTC)"): moment(now),
        say("Times"): say("All times in this file are UTC. The region keeps {zone}.", zone=issue.region.time_zone),
        say("Source of the data"): source,
    }
    if issue.simulated:
        about[say("Simulated")] = say("The weather behind these numbers is made up: use them for exercises only.")
    if period is not None:
        about[say("Period (UTC)")] = f"{moment(period[0])} – {moment(period[1])}"
    about |= {
        say("Forecast issued at (UTC)"): moment(issue.issued_at),
        say("Forecast valid from (UTC)"): moment(issue.valid_from),
        say("Newest data (UTC)"): f"{moment(issue.data_at)} ({say(issue.data_name)})",
        say("Age of the newest data"): age_text(words, issue.age_s(now)),
        say("Freshness"): say(issue.freshness.value),
        say("Model version"): f"{model} ({seed})" if seed else model,
        say("Model trained on"): say("Simulated") if issue.model_source == "simulator" else issue.model_source or "–",
    }
    for title, texts in ((say("Problem"), issue.problems), (say("Note"), issue.notes)):
        about |= {f"{title} {i}": say(text) for i, text in enumerate(texts, 1)}
    return about


def _words(words: Language) -> Mapping[str, str]:
    """Return the words that the file itself needs."""
    names = [style.name for style in LEVELS.values()] + [style.name for style in FLAGS.values()]
    return {text: words.say(text) for text in (PROVENANCE, SHEET, ROWS, NOTE, CUT, *names)}
